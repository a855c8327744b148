// Gin in release mode, with its recovery middleware and without its logger.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strconv"

	"common/document"
	"common/stats"

	"github.com/gin-gonic/gin"
)

const bodySizeMax = 64 << 10

func hello(c *gin.Context) {
	c.String(http.StatusOK, "Hello")
}

func jsonPage(c *gin.Context) {
	c.JSON(http.StatusOK, document.New())
}

func echo(c *gin.Context) {
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, bodySizeMax))
	if err != nil {
		c.AbortWithError(http.StatusRequestEntityTooLarge, err)
		return
	}
	c.Header("Content-Length", strconv.Itoa(len(body)))
	c.Data(http.StatusOK, c.ContentType(), body)
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: peer PORT THREADS")
		os.Exit(2)
	}
	threads, _ := strconv.Atoi(os.Args[2])
	runtime.GOMAXPROCS(threads)
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.Use(gin.Recovery())
	engine.GET("/", hello)
	engine.GET("/json", jsonPage)
	engine.POST("/echo", echo)
	engine.GET("/lab/stats", gin.WrapF(stats.Page))
	fmt.Fprintln(os.Stderr, engine.Run("127.0.0.1:"+os.Args[1]))
	os.Exit(1)
}
