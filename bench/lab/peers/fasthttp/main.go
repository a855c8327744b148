// fasthttp: its own server, requests and replies in pooled contexts.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"

	"common/document"
	"common/stats"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttpadaptor"
)

const bodySizeMax = 64 << 10

var statsPage = fasthttpadaptor.NewFastHTTPHandlerFunc(stats.Page)

func jsonPage(ctx *fasthttp.RequestCtx) {
	body, err := json.Marshal(document.New())
	if err != nil {
		ctx.Error(err.Error(), fasthttp.StatusInternalServerError)
		return
	}
	ctx.SetContentType("application/json")
	ctx.Response.SetBodyRaw(body)
}

func handle(ctx *fasthttp.RequestCtx) {
	switch string(ctx.Path()) {
	case "/":
		ctx.SetContentType("text/plain")
		ctx.SetBodyString("Hello")
	case "/json":
		jsonPage(ctx)
	case "/echo":
		ctx.SetContentTypeBytes(ctx.Request.Header.ContentType())
		ctx.SetBody(ctx.PostBody())
	case "/lab/stats":
		statsPage(ctx)
	default:
		ctx.Error("Not found", fasthttp.StatusNotFound)
	}
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: peer PORT THREADS")
		os.Exit(2)
	}
	threads, _ := strconv.Atoi(os.Args[2])
	runtime.GOMAXPROCS(threads)
	server := fasthttp.Server{Handler: handle, MaxRequestBodySize: bodySizeMax}
	fmt.Fprintln(os.Stderr, server.ListenAndServe("127.0.0.1:"+os.Args[1]))
	os.Exit(1)
}
