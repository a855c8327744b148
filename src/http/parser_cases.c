/*
 * The rules of RFC 9110 and RFC 9112 for the head of a request, one row a rule. A
 * number alone is a section of RFC 9112.
 */
#include "http/parser_cases.h"

/* clang-format off */
/* ZG_SLICE is no constant expression for a strict compiler. */
#define RAW(literal) {literal, sizeof(literal) - 1}
#define HOST "Host: a\r\n"
#define END "\r\n"
#define OK_TAIL " HTTP/1.1 keep-alive fields=1"
#define GET_WITH(fields) RAW("GET / HTTP/1.1\r\n" HOST fields END)
#define GET_TARGET(target) RAW("GET " target " HTTP/1.1\r\n" HOST END)
#define GET_HOST(host) RAW("GET / HTTP/1.1\r\nHost:" host END END)
#define POST_WITH(fields) RAW("POST / HTTP/1.1\r\n" HOST fields END)
#define OK_GET "GET / path=/ query= HTTP/1.1 "
#define OK_POST "POST / path=/ query= HTTP/1.1 "
#define SIXTEEN_FIELDS                                                     \
	"A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\nF: 6\r\nG: 7\r\nH: 8\r\n" \
	"I: 9\r\nJ: 10\r\nK: 11\r\nL: 12\r\nM: 13\r\nN: 14\r\nO: 15\r\nP: 16\r\n"

const struct parser_case parser_cases[] = {
	/* The request line. */
	{"3 a GET is read", GET_TARGET("/"), "GET / path=/ query=" OK_TAIL, 0, 0},
	{"3 a body after the head is left alone", RAW("PUT / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"), "PUT / path=/ query= HTTP/1.1 keep-alive fields=2 length=3", 0, 0},
	{"9110-9.1 HEAD is known", RAW("HEAD / HTTP/1.1\r\n" HOST END), "HEAD / path=/ query=" OK_TAIL, 0, 0},
	{"9110-9.1 DELETE is known", RAW("DELETE / HTTP/1.1\r\n" HOST END), "DELETE / path=/ query=" OK_TAIL, 0, 0},
	{"9110-9.1 TRACE is known", RAW("TRACE / HTTP/1.1\r\n" HOST END), "TRACE / path=/ query=" OK_TAIL, 0, 0},
	{"5789-2 PATCH is known", RAW("PATCH / HTTP/1.1\r\n" HOST END), "PATCH / path=/ query=" OK_TAIL, 0, 0},
	{"9110-9.1 methods are case-sensitive", RAW("get / HTTP/1.1\r\n" HOST END), "UNKNOWN_METHOD", 0, 0},
	{"3.1 an unknown method is not implemented", RAW("BREW / HTTP/1.1\r\n" HOST END), "UNKNOWN_METHOD", 0, 0},
	{"3.1 a method that begins like a known one is unknown", RAW("GETS / HTTP/1.1\r\n" HOST END), "UNKNOWN_METHOD", 0, 0},
	{"3.1 a method is a token", RAW("G@T / HTTP/1.1\r\n" HOST END), "BAD_REQUEST_LINE", 0, 0},
	{"3.1 a method is not empty", RAW(" / HTTP/1.1\r\n" HOST END), "BAD_REQUEST_LINE", 0, 0},
	{"3 two spaces after the method", RAW("GET  / HTTP/1.1\r\n" HOST END), "BAD_TARGET", 0, 0},
	{"3 a tab after the method", RAW("GET\t/ HTTP/1.1\r\n" HOST END), "BAD_REQUEST_LINE", 0, 0},
	{"3 two spaces before the version", RAW("GET /  HTTP/1.1\r\n" HOST END), "BAD_REQUEST_LINE", 0, 0},
	{"3 a space after the version", RAW("GET / HTTP/1.1 \r\n" HOST END), "BAD_REQUEST_LINE", 0, 0},
	{"3 a space inside the target", RAW("GET /a b HTTP/1.1\r\n" HOST END), "BAD_REQUEST_LINE", 0, 0},
	{"3 a request line without a version", RAW("GET /\r\n" HOST END), "BAD_REQUEST_LINE", 0, 0},
	{"3 a request line without a target", RAW("GET HTTP/1.1\r\n" HOST END), "BAD_REQUEST_LINE", 0, 0},
	{"2.2 white space between request line and fields", RAW("GET / HTTP/1.1\r\n " HOST END), "BAD_FIELD", 0, 0},
	{"3 a TLS greeting", RAW("\x16\x03\x01\x02\x00\x01\n"), "BAD_REQUEST_LINE", 0, 0},

	/* Versions. */
	{"9110-6.2 HTTP/1.0 closes by default", RAW("GET / HTTP/1.0\r\n\r\n"), "GET / path=/ query= HTTP/1.0 close fields=0", 0, 0},
	{"9110-2.5 a higher minor version is served as 1.1", RAW("GET / HTTP/1.7\r\n" HOST END), "GET / path=/ query=" OK_TAIL, 0, 0},
	{"9110-15.6.6 the preface of HTTP/2", RAW("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "UNKNOWN_VERSION", 0, 0},
	{"9110-15.6.6 HTTP/0.9 said aloud", RAW("GET / HTTP/0.9\r\n\r\n"), "UNKNOWN_VERSION", 0, 0},
	{"9110-15.6.6 HTTP/3", RAW("GET / HTTP/3\r\n\r\n"), "UNKNOWN_VERSION", 0, 0},
	{"9110-15.6.6 the version goes before the method", RAW("BREW / HTTP/9.9\r\n\r\n"), "UNKNOWN_VERSION", 0, 0},
	{"2.3 the name of HTTP is case-sensitive", RAW("GET / http/1.1\r\n" HOST END), "BAD_REQUEST_LINE", 0, 0},
	{"2.3 a version without its minor part", RAW("GET / HTTP/1\r\n" HOST END), "BAD_REQUEST_LINE", 0, 0},
	{"2.3 a version of too many digits", RAW("GET / HTTP/1.10\r\n" HOST END), "BAD_REQUEST_LINE", 0, 0},
	{"2.3 a major version of two digits", RAW("GET / HTTP/11.1\r\n" HOST END), "BAD_REQUEST_LINE", 0, 0},
	{"2.3 another major version, malformed", RAW("GET / HTTP/2.00\r\n" HOST END), "BAD_REQUEST_LINE", 0, 0},
	{"2.3 a version that ends in its name", RAW("GET / HTT\r\n" HOST END), "BAD_REQUEST_LINE", 0, 0},
	{"2.3 a version without digits", RAW("GET / HTTP/x.y\r\n" HOST END), "BAD_REQUEST_LINE", 0, 0},
	{"2.3 another protocol", RAW("GET / RTSP/1.0\r\n" HOST END), "BAD_REQUEST_LINE", 0, 0},

	/* Targets. */
	{"3.2.1 path and query are split", GET_TARGET("/a/b?c=d&e?f"), "GET /a/b?c=d&e?f path=/a/b query=c=d&e?f" OK_TAIL, 0, 0},
	{"3.2.1 an empty query", GET_TARGET("/a?"), "GET /a? path=/a query=" OK_TAIL, 0, 0},
	{"3.2.1 an empty segment first", GET_TARGET("//a"), "GET //a path=//a query=" OK_TAIL, 0, 0},
	{"3.2.1 a path without its slash", GET_TARGET("a/b"), "BAD_TARGET", 0, 0},
	{"3.2.1 a query without a path", GET_TARGET("?a"), "BAD_TARGET", 0, 0},
	{"3986-2.1 percent-encoding is left as sent", GET_TARGET("/%41%c3%A9?%20"), "GET /%41%c3%A9?%20 path=/%41%c3%A9 query=%20" OK_TAIL, 0, 0},
	{"3986-2.1 a percent sign without digits", GET_TARGET("/a%zz"), "BAD_TARGET", 0, 0},
	{"3986-2.1 a percent sign with one digit", GET_TARGET("/a%4"), "BAD_TARGET", 0, 0},
	{"3986-2.1 a percent sign at the end of the path", GET_TARGET("/a%?bc"), "BAD_TARGET", 0, 0},
	{"3986-2.1 a malformed percent-encoding in the query", GET_TARGET("/a?b=%g0"), "BAD_TARGET", 0, 0},
	{"9110-7.1 a fragment is never sent", GET_TARGET("/a#b"), "BAD_TARGET", 0, 0},
	{"9110-7.1 a fragment that looks like an encoding", GET_TARGET("/a#41"), "BAD_TARGET", 0, 0},
	{"9110-7.1 a fragment in the query", GET_TARGET("/a?b#c"), "BAD_TARGET", 0, 0},
	{"3.2 a byte above ASCII", GET_TARGET("/\xC3\xA9"), "BAD_TARGET", 0, 0},
	{"3.2 a control byte", GET_TARGET("/a\x01" "b"), "BAD_TARGET", 0, 0},
	{"3.2 a NUL", GET_TARGET("/a\0b"), "BAD_TARGET", 0, 0},
	{"3.2 DEL", GET_TARGET("/a\x7F" "b"), "BAD_TARGET", 0, 0},
	{"whatwg-url what browsers do not encode", GET_TARGET("/a|b?c[d]={e}^"), "GET /a|b?c[d]={e}^ path=/a|b query=c[d]={e}^" OK_TAIL, 0, 0},
	{"3.2.2 absolute-form", GET_TARGET("http://a:80/b?c"), "GET http://a:80/b?c path=/b query=c" OK_TAIL, 0, 0},
	{"3.2.2 absolute-form with https, of any case", GET_TARGET("HTTPS://a/b"), "GET HTTPS://a/b path=/b query=" OK_TAIL, 0, 0},
	{"9110-4.2.3 an empty path means a slash", GET_TARGET("http://a"), "GET http://a path=/ query=" OK_TAIL, 0, 0},
	{"9110-4.2.3 an empty path before a query", GET_TARGET("http://a?b"), "GET http://a?b path=/ query=b" OK_TAIL, 0, 0},
	{"9110-4.2.1 an empty host", GET_TARGET("http:///b"), "BAD_TARGET", 0, 0},
	{"9110-4.2.4 user information", GET_TARGET("http://user@a/b"), "BAD_TARGET", 0, 0},
	{"3.2.2 another scheme", GET_TARGET("ftp://a/b"), "BAD_TARGET", 0, 0},
	{"3.2.2 a scheme without slashes", GET_TARGET("http:a/b"), "BAD_TARGET", 0, 0},
	{"3.2.2 a malformed port", GET_TARGET("http://a:8o/b"), "BAD_TARGET", 0, 0},
	{"3.2.2 a port out of range", GET_TARGET("http://a:65536/b"), "BAD_TARGET", 0, 0},
	{"3.2.2 an IPv6 address", GET_TARGET("http://[::1]:8080/"), "GET http://[::1]:8080/ path=/ query=" OK_TAIL, 0, 0},
	{"3.2.3 CONNECT takes host and port", RAW("CONNECT a:443 HTTP/1.1\r\n" HOST END), "CONNECT a:443 path= query=" OK_TAIL, 0, 0},
	{"9110-9.3.6 CONNECT without a port", RAW("CONNECT a HTTP/1.1\r\n" HOST END), "BAD_TARGET", 0, 0},
	{"9110-9.3.6 CONNECT with an empty port", RAW("CONNECT a: HTTP/1.1\r\n" HOST END), "BAD_TARGET", 0, 0},
	{"3.2.3 CONNECT with a path", RAW("CONNECT /a HTTP/1.1\r\n" HOST END), "BAD_TARGET", 0, 0},
	{"3.2.3 authority-form with another method", GET_TARGET("a:443"), "BAD_TARGET", 0, 0},
	{"3.2.4 OPTIONS takes an asterisk", RAW("OPTIONS * HTTP/1.1\r\n" HOST END), "OPTIONS * path=* query=" OK_TAIL, 0, 0},
	{"3.2.4 an asterisk with another method", GET_TARGET("*"), "BAD_TARGET", 0, 0},
	{"3.2.4 an asterisk and more", RAW("OPTIONS *a HTTP/1.1\r\n" HOST END), "BAD_TARGET", 0, 0},

	/* Line ends. */
	{"2.2 an empty line before the request", RAW("\r\nGET / HTTP/1.1\r\n" HOST END), "GET / path=/ query=" OK_TAIL, 0, 0},
	{"2.2 two empty lines before the request", RAW("\r\n\r\nGET / HTTP/1.1\r\n" HOST END), "GET / path=/ query=" OK_TAIL, 0, 0},
	{"2.2 three empty lines before the request", RAW("\r\n\r\n\r\nGET / HTTP/1.1\r\n" HOST END), "BAD_REQUEST_LINE", 0, 0},
	{"2.2 an empty line of a bare LF", RAW("\nGET / HTTP/1.1\r\n" HOST END), "BAD_LINE_END", 0, 0},
	{"2.2 a bare LF after the request line", RAW("GET / HTTP/1.1\nHost: a\r\n\r\n"), "BAD_LINE_END", 0, 0},
	{"2.2 another byte where the CR is due", RAW("GET / HTTP/1.1 \nHost: a\r\n\r\n"), "BAD_REQUEST_LINE", 0, 0},
	{"2.2 a bare CR in the request line", RAW("GET /\rHTTP/1.1\r\n" HOST END), "BAD_LINE_END", 0, 0},
	{"2.2 a bare CR after the version", RAW("GET / HTTP/1.1\r" HOST END), "BAD_LINE_END", 0, 0},
	{"2.2 a bare CR first", RAW("\rGET / HTTP/1.1\r\n" HOST END), "BAD_LINE_END", 0, 0},
	{"2.2 a bare LF after a field", RAW("GET / HTTP/1.1\r\nHost: a\n\r\n"), "BAD_LINE_END", 0, 0},
	{"2.2 a bare CR in a value", GET_WITH("A: b\rc\r\n"), "BAD_LINE_END", 0, 0},
	{"2.2 a bare CR before a CRLF", GET_WITH("A: b\r\r\n"), "BAD_LINE_END", 0, 0},
	{"2.2 a bare LF instead of the empty line", RAW("GET / HTTP/1.1\r\n" HOST "\nX"), "BAD_LINE_END", 0, 0},
	{"2.2 a bare CR instead of the empty line", RAW("GET / HTTP/1.1\r\n" HOST "\rX\n"), "BAD_LINE_END", 0, 0},
	{"2.2 a line end inside a name", GET_WITH("Na\r\nme: b\r\n"), "BAD_FIELD", 0, 0},
	{"2.1 a head without its empty line is not whole", RAW("GET / HTTP/1.1\r\n" HOST), "MORE", 0, 0},
	{"2.1 a head without its last LF is not whole", RAW("GET / HTTP/1.1\r\n" HOST "\r"), "MORE", 0, 0},
	{"2.1 nothing but empty lines is not whole", RAW("\r\n\r\n"), "MORE", 0, 0},
	{"2.1 a line is not judged before it ends", RAW("G@T /"), "MORE", 0, 0},

	/* Fields. */
	{"5 fields are counted", GET_WITH("A: b\r\nC: d\r\n"), OK_GET "keep-alive fields=3", 0, 0},
	{"5.1 a space before the colon", GET_WITH("A : b\r\n"), "BAD_FIELD", 0, 0},
	{"5.1 a tab before the colon", GET_WITH("A\t: b\r\n"), "BAD_FIELD", 0, 0},
	{"5.1 an empty name", GET_WITH(": b\r\n"), "BAD_FIELD", 0, 0},
	{"5.1 a name that is no token", GET_WITH("A(b): c\r\n"), "BAD_FIELD", 0, 0},
	{"5.1 a name above ASCII", GET_WITH("A\xE9: c\r\n"), "BAD_FIELD", 0, 0},
	{"5.1 a line without a colon", GET_WITH("Abc\r\n"), "BAD_FIELD", 0, 0},
	{"5.1 an empty value", GET_WITH("A:\r\nB: \t \r\n"), OK_GET "keep-alive fields=3", 0, 0},
	{"5.2 a folded value", GET_WITH("A: b\r\n c\r\n"), "OBSOLETE_FOLD", 0, 0},
	{"5.2 a value folded with a tab", GET_WITH("A: b\r\n\tc\r\n"), "OBSOLETE_FOLD", 0, 0},
	{"5.2 a fold without content", GET_WITH("A: b\r\n \r\n"), "OBSOLETE_FOLD", 0, 0},
	{"9110-5.5 a tab inside a value", GET_WITH("A: b\tc\r\n"), OK_GET "keep-alive fields=2", 0, 0},
	{"9110-5.5 obs-text inside a value", GET_WITH("A: \x80\xFF\r\n"), OK_GET "keep-alive fields=2", 0, 0},
	{"9110-5.5 a NUL inside a value", GET_WITH("A: b\0c\r\n"), "BAD_FIELD", 0, 0},
	{"9110-5.5 a control byte inside a value", GET_WITH("A: b\x0B\r\n"), "BAD_FIELD", 0, 0},
	{"9110-5.5 DEL inside a value", GET_WITH("A: b\x7F\r\n"), "BAD_FIELD", 0, 0},
	{"5 the seventeenth field", RAW("GET / HTTP/1.1\r\n" HOST SIXTEEN_FIELDS END), OK_GET "keep-alive fields=17", 0, 0},

	/* Limits. */
	{"3 a target without end", RAW("GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), "TARGET_TOO_LONG", 32, 0},
	{"3 a request line larger than the head may be", RAW("GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa HTTP/1.1\r\n" HOST END), "TARGET_TOO_LONG", 32, 0},
	{"6585-5 fields larger than the head may be", GET_WITH("A: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n"), "FIELDS_TOO_LARGE", 48, 0},
	{"6585-5 a head one byte larger than it may be", GET_WITH(""), "FIELDS_TOO_LARGE", 26, 0},
	{"6585-5 a head as large as it may be", GET_WITH(""), OK_GET "keep-alive fields=1", 27, 0},
	{"6585-5 more fields than there may be", GET_WITH("A: b\r\nC: d\r\n"), "FIELDS_TOO_LARGE", 0, 2},
	{"6585-5 as many fields as there may be", GET_WITH("A: b\r\n"), OK_GET "keep-alive fields=2", 0, 2},

	/* Host. */
	{"3.2 Host is missing", RAW("GET / HTTP/1.1\r\nA: b\r\n\r\n"), "BAD_HOST", 0, 0},
	{"3.2 Host is doubled", GET_WITH(HOST), "BAD_HOST", 0, 0},
	{"3.2 Host is doubled in HTTP/1.0", RAW("GET / HTTP/1.0\r\n" HOST HOST END), "BAD_HOST", 0, 0},
	{"9110-5.1 names have no case", RAW("GET / HTTP/1.1\r\nhOsT: a\r\n\r\n"), OK_GET "keep-alive fields=1", 0, 0},
	{"9110-7.2 an empty Host", GET_HOST(""), OK_GET "keep-alive fields=1", 0, 0},
	{"9110-7.2 a name and a port", GET_HOST(" example.org:8080"), OK_GET "keep-alive fields=1", 0, 0},
	{"3986-3.2.3 an empty port", GET_HOST(" a:"), OK_GET "keep-alive fields=1", 0, 0},
	{"3986-3.2.2 an IPv4 address", GET_HOST(" 127.0.0.1:60000"), OK_GET "keep-alive fields=1", 0, 0},
	{"3986-3.2.2 an IPv6 address", GET_HOST(" [2001:db8::1]:443"), OK_GET "keep-alive fields=1", 0, 0},
	{"3986-3.2.2 an IPv6 address with an IPv4 tail", GET_HOST(" [::ffff:10.0.0.1]"), OK_GET "keep-alive fields=1", 0, 0},
	{"3986-3.2.2 an address of the future", GET_HOST(" [v1.a:b]"), OK_GET "keep-alive fields=1", 0, 0},
	{"3986-3.2.2 an encoded name", GET_HOST(" a%41"), OK_GET "keep-alive fields=1", 0, 0},
	{"3986-3.2.2 a malformed encoding", GET_HOST(" a%4"), "BAD_HOST", 0, 0},
	{"3986-3.2.2 an open bracket", GET_HOST(" [::1"), "BAD_HOST", 0, 0},
	{"3986-3.2.2 an empty bracket", GET_HOST(" []"), "BAD_HOST", 0, 0},
	{"3986-3.2.2 bytes after the bracket", GET_HOST(" [::1]a"), "BAD_HOST", 0, 0},
	{"3986-3.2.2 a malformed IPv6 address", GET_HOST(" [1::2::3]"), "BAD_HOST", 0, 0},
	{"3986-3.2.2 a zone", GET_HOST(" [fe80::1%25eth0]"), "BAD_HOST", 0, 0},
	{"3986-3.2.2 an address of the future without a dot", GET_HOST(" [v1]"), "BAD_HOST", 0, 0},
	{"9110-7.2 a port that is no number", GET_HOST(" a:b"), "BAD_HOST", 0, 0},
	{"9110-7.2 a port out of range", GET_HOST(" a:99999999999"), "BAD_HOST", 0, 0},
	{"9110-7.2 a port without a host", GET_HOST(" :80"), "BAD_HOST", 0, 0},
	{"9110-7.2 user information", GET_HOST(" user@a"), "BAD_HOST", 0, 0},
	{"9110-7.2 a path", GET_HOST(" a/b"), "BAD_HOST", 0, 0},
	{"9110-7.2 a space", GET_HOST(" a b"), "BAD_HOST", 0, 0},

	/* Content-Length. */
	{"6.2 Content-Length", POST_WITH("Content-Length: 42\r\n"), OK_POST "keep-alive fields=2 length=42", 0, 0},
	{"6.2 a length of nothing", POST_WITH("Content-Length: 0\r\n"), OK_POST "keep-alive fields=2 length=0", 0, 0},
	{"9110-8.6 the largest length", POST_WITH("Content-Length: 18446744073709551615\r\n"), OK_POST "keep-alive fields=2 length=18446744073709551615", 0, 0},
	{"9110-8.6 a length of more than 64 bits", POST_WITH("Content-Length: 18446744073709551616\r\n"), "BAD_LENGTH", 0, 0},
	{"9110-8.6 a length that overflows far", POST_WITH("Content-Length: 99999999999999999999999\r\n"), "BAD_LENGTH", 0, 0},
	{"9110-8.6 a plus sign", POST_WITH("Content-Length: +1\r\n"), "BAD_LENGTH", 0, 0},
	{"9110-8.6 a minus sign", POST_WITH("Content-Length: -1\r\n"), "BAD_LENGTH", 0, 0},
	{"9110-8.6 an empty length", POST_WITH("Content-Length:\r\n"), "BAD_LENGTH", 0, 0},
	{"9110-8.6 a hexadecimal length", POST_WITH("Content-Length: 0x1\r\n"), "BAD_LENGTH", 0, 0},
	{"9110-8.6 a space inside", POST_WITH("Content-Length: 1 2\r\n"), "BAD_LENGTH", 0, 0},
	{"9110-8.6 a list of equal lengths", POST_WITH("Content-Length: 5, 5\r\n"), "BAD_LENGTH", 0, 0},
	{"6.3 two equal lengths", POST_WITH("Content-Length: 5\r\nContent-Length: 5\r\n"), "BAD_LENGTH", 0, 0},
	{"6.3 two different lengths", POST_WITH("Content-Length: 5\r\ncontent-length: 6\r\n"), "BAD_LENGTH", 0, 0},

	/* Transfer-Encoding. */
	{"6.1 chunked", POST_WITH("Transfer-Encoding: chunked\r\n"), OK_POST "keep-alive fields=2 chunked", 0, 0},
	{"9112-7 codings have no case", POST_WITH("transfer-encoding: ChUnKeD\r\n"), OK_POST "keep-alive fields=2 chunked", 0, 0},
	{"6.1 with Content-Length", POST_WITH("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), "AMBIGUOUS_LENGTH", 0, 0},
	{"6.1 after Content-Length", POST_WITH("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), "AMBIGUOUS_LENGTH", 0, 0},
	{"6.1 in HTTP/1.0", RAW("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), "BAD_TRANSFER_ENCODING", 0, 0},
	{"6.1 an unknown coding before chunked", POST_WITH("Transfer-Encoding: gzip, chunked\r\n"), "UNKNOWN_CODING", 0, 0},
	{"6.1 an unknown coding before chunked, in two fields", POST_WITH("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"), "UNKNOWN_CODING", 0, 0},
	{"6.1 an unknown coding with a parameter", POST_WITH("Transfer-Encoding: x; a=b, chunked\r\n"), "UNKNOWN_CODING", 0, 0},
	{"6.3 chunked is not last", POST_WITH("Transfer-Encoding: chunked, gzip\r\n"), "BAD_TRANSFER_ENCODING", 0, 0},
	{"6.3 chunked is not last, in two fields", POST_WITH("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"), "BAD_TRANSFER_ENCODING", 0, 0},
	{"6.1 chunked twice", POST_WITH("Transfer-Encoding: chunked, chunked\r\n"), "BAD_TRANSFER_ENCODING", 0, 0},
	{"6.3 no chunked at all", POST_WITH("Transfer-Encoding: gzip\r\n"), "BAD_TRANSFER_ENCODING", 0, 0},
	{"6.3 identity", POST_WITH("Transfer-Encoding: identity\r\n"), "BAD_TRANSFER_ENCODING", 0, 0},
	{"6.1 an empty list", POST_WITH("Transfer-Encoding:\r\n"), "BAD_TRANSFER_ENCODING", 0, 0},
	{"6.1 an empty element", POST_WITH("Transfer-Encoding: , chunked\r\n"), "BAD_TRANSFER_ENCODING", 0, 0},
	{"6.1 an empty element last", POST_WITH("Transfer-Encoding: chunked,\r\n"), "BAD_TRANSFER_ENCODING", 0, 0},
	{"7.1 chunked has no parameters", POST_WITH("Transfer-Encoding: chunked;a=b\r\n"), "BAD_TRANSFER_ENCODING", 0, 0},
	{"6.1 chunked in quotes", POST_WITH("Transfer-Encoding: \"chunked\"\r\n"), "BAD_TRANSFER_ENCODING", 0, 0},
	{"6.1 chunked and another word", POST_WITH("Transfer-Encoding: chunked x\r\n"), "BAD_TRANSFER_ENCODING", 0, 0},
	{"6.1 a word that begins like chunked", POST_WITH("Transfer-Encoding: chunkedx\r\n"), "BAD_TRANSFER_ENCODING", 0, 0},
	{"6.1 a hidden control byte", POST_WITH("Transfer-Encoding: \x0B" "chunked\r\n"), "BAD_FIELD", 0, 0},

	/* Connection and Expect. */
	{"9.6 close", GET_WITH("Connection: close\r\n"), OK_GET "close fields=2", 0, 0},
	{"9110-7.6.1 options have no case", GET_WITH("Connection: CLOSE\r\n"), OK_GET "close fields=2", 0, 0},
	{"9110-7.6.1 close inside a list", GET_WITH("Connection: upgrade ,close, x\r\n"), OK_GET "close fields=2", 0, 0},
	{"9.3 close wins over keep-alive", GET_WITH("Connection: close\r\nConnection: keep-alive\r\n"), OK_GET "close fields=3", 0, 0},
	{"9.3 keep-alive in HTTP/1.0", RAW("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), "GET / path=/ query= HTTP/1.0 keep-alive fields=1", 0, 0},
	{"9.3 an option that begins like close", GET_WITH("Connection: closed\r\n"), OK_GET "keep-alive fields=2", 0, 0},
	{"9110-10.1.1 100-continue with a length", POST_WITH("Expect: 100-Continue\r\nContent-Length: 1\r\n"), OK_POST "keep-alive fields=3 length=1 continue", 0, 0},
	{"9110-10.1.1 100-continue with chunks", POST_WITH("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n"), OK_POST "keep-alive fields=3 chunked continue", 0, 0},
	{"9110-10.1.1 100-continue without a body", POST_WITH("Expect: 100-continue\r\n"), OK_POST "keep-alive fields=2", 0, 0},
	{"9110-10.1.1 100-continue is ignored in HTTP/1.0", RAW("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"), "POST / path=/ query= HTTP/1.0 close fields=2 length=1", 0, 0},
	{"9110-10.1.1 another expectation", POST_WITH("Expect: 200-ok\r\n"), "UNKNOWN_EXPECTATION", 0, 0},
	{"9110-10.1.1 another expectation beside 100-continue", POST_WITH("Expect: 100-continue, x\r\n"), "UNKNOWN_EXPECTATION", 0, 0},
	{"9110-10.1.1 another expectation in HTTP/1.0", RAW("POST / HTTP/1.0\r\nExpect: x\r\n\r\n"), "POST / path=/ query= HTTP/1.0 close fields=1", 0, 0},
};
/* clang-format on */

const size_t parser_case_count = sizeof(parser_cases) / sizeof(parser_cases[0]);
