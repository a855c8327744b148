// Go's net/http with the article's sync.Pool: the buffers that documents are encoded
// into are pooled.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"sync"

	"common/document"
	"common/stats"
)

const bodySizeMax = 64 << 10

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func hello(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	io.WriteString(w, "Hello")
}

func writeBuffer(w http.ResponseWriter, contentType string, buffer *bytes.Buffer) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(buffer.Len()))
	w.Write(buffer.Bytes())
}

func jsonPage(w http.ResponseWriter, _ *http.Request) {
	buffer := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(buffer)
	buffer.Reset()
	if err := json.NewEncoder(buffer).Encode(document.New()); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	buffer.Truncate(buffer.Len() - 1) // The encoder ends with a line break.
	writeBuffer(w, "application/json", buffer)
}

func echo(w http.ResponseWriter, r *http.Request) {
	buffer := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(buffer)
	buffer.Reset()
	if _, err := buffer.ReadFrom(http.MaxBytesReader(w, r.Body, bodySizeMax)); err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	writeBuffer(w, r.Header.Get("Content-Type"), buffer)
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: peer PORT THREADS")
		os.Exit(2)
	}
	threads, _ := strconv.Atoi(os.Args[2])
	runtime.GOMAXPROCS(threads)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", hello)
	mux.HandleFunc("GET /json", jsonPage)
	mux.HandleFunc("POST /echo", echo)
	mux.HandleFunc("GET /lab/stats", stats.Page)
	server := http.Server{Addr: "127.0.0.1:" + os.Args[1], Handler: mux}
	fmt.Fprintln(os.Stderr, server.ListenAndServe())
	os.Exit(1)
}
