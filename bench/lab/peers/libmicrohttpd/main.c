/*
 * libmicrohttpd with its internal epoll loop and a pool of threads, the fastest of the
 * modes that its manual describes.
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define BODY_SIZE_MAX (64 * 1024)
#define DOCUMENT_SIZE_MAX 8192
#define ITEM_COUNT 48
#define CONNECTIONS_MAX 19000
#define TIMEOUT_SECONDS 600
#define CONNECTION_SIZE 8192

struct upload {
	size_t size;
	char body[BODY_SIZE_MAX];
};

/* The state of a request without a body: that its head has been seen. */
static char request_seen;

static enum MHD_Result reply(struct MHD_Connection *connection, const char *content_type,
			     struct MHD_Response *response)
{
	enum MHD_Result result;

	if (response == NULL)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
	result = MHD_queue_response(connection, MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return result;
}

/* The same each time: it is made at the start. */
static struct MHD_Response *hello_response;

static bool hello_init(void)
{
	static char hello[] = "Hello";

	hello_response =
		MHD_create_response_from_buffer(sizeof(hello) - 1, hello, MHD_RESPMEM_PERSISTENT);
	return hello_response != NULL &&
	       MHD_add_response_header(hello_response, MHD_HTTP_HEADER_CONTENT_TYPE,
				       "text/plain") == MHD_YES;
}

static enum MHD_Result reply_json(struct MHD_Connection *connection)
{
	char *document = malloc(DOCUMENT_SIZE_MAX);
	int size;

	if (document == NULL)
		return MHD_NO;
	size = snprintf(document, DOCUMENT_SIZE_MAX, "{\"message\":\"Hello\",\"items\":[");
	for (int id = 1; id <= ITEM_COUNT; id++)
		size += snprintf(document + size, (size_t)(DOCUMENT_SIZE_MAX - size),
				 "%s{\"id\":%d,\"name\":\"item %d\",\"price_minor\":%d,"
				 "\"currency\":\"EUR\",\"in_stock\":%s}",
				 id > 1 ? "," : "", id, id, id * 137,
				 id % 2 == 1 ? "true" : "false");
	size += snprintf(document + size, (size_t)(DOCUMENT_SIZE_MAX - size), "]}");
	return reply(
		connection, "application/json",
		MHD_create_response_from_buffer((size_t)size, document, MHD_RESPMEM_MUST_FREE));
}

static enum MHD_Result reply_echo(struct MHD_Connection *connection, const struct upload *upload)
{
	const char *type = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
						       MHD_HTTP_HEADER_CONTENT_TYPE);
	char *body = malloc(upload->size > 0 ? upload->size : 1);

	if (body == NULL)
		return MHD_NO;
	memcpy(body, upload->body, upload->size);
	return reply(connection, type != NULL ? type : "application/octet-stream",
		     MHD_create_response_from_buffer(upload->size, body, MHD_RESPMEM_MUST_FREE));
}

static enum MHD_Result on_upload(struct MHD_Connection *connection, const char *data,
				 size_t *data_size, void **state)
{
	struct upload *upload = *state;

	if (*data_size == 0)
		return reply_echo(connection, upload);
	if (*data_size > BODY_SIZE_MAX - upload->size)
		return MHD_NO;
	memcpy(upload->body + upload->size, data, *data_size);
	upload->size += *data_size;
	*data_size = 0;
	return MHD_YES;
}

/* Not zeroed: only what has been uploaded is read. */
static struct upload *upload_create(void)
{
	struct upload *upload = malloc(sizeof(*upload));

	if (upload != NULL)
		upload->size = 0;
	return upload;
}

static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *data_size, void **state)
{
	(void)user;
	(void)version;
	if (*state == NULL) {
		/* The first call of a request: only its head is there. */
		*state = &request_seen;
		if (strcmp(method, MHD_HTTP_METHOD_POST) == 0)
			*state = upload_create();
		return *state != NULL ? MHD_YES : MHD_NO;
	}
	if (strcmp(method, MHD_HTTP_METHOD_POST) == 0 && strcmp(url, "/echo") == 0)
		return on_upload(connection, data, data_size, state);
	if (strcmp(url, "/") == 0)
		return MHD_queue_response(connection, MHD_HTTP_OK, hello_response);
	if (strcmp(url, "/json") == 0)
		return reply_json(connection);
	return MHD_NO;
}

static void on_completed(void *user, struct MHD_Connection *connection, void **state,
			 enum MHD_RequestTerminationCode code)
{
	(void)user;
	(void)connection;
	(void)code;
	if (*state != &request_seen)
		free(*state);
	*state = NULL;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	struct MHD_Daemon *daemon;
	struct rlimit limit;

	if (argc != 3) {
		fputs("usage: peer PORT THREADS\n", stderr);
		return 2;
	}
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	address.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (!hello_init()) {
		fputs("peer: no memory\n", stderr);
		return 1;
	}
	daemon = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO, 0, NULL, NULL, on_request, NULL,
		MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_THREAD_POOL_SIZE,
		(unsigned int)strtoul(argv[2], NULL, 10), MHD_OPTION_CONNECTION_LIMIT,
		(unsigned int)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned int)TIMEOUT_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_SIZE, MHD_OPTION_LISTEN_BACKLOG_SIZE, 4096u,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
	if (daemon == NULL) {
		fputs("peer: cannot start\n", stderr);
		return 1;
	}
	for (;;)
		pause();
}
