package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
)

// Time limits of requests. They end those that wait for a database that does not answer,
// so that not all who come are kept waiting. What takes long by itself has more time, and
// what is as long as a file or a stream has no limit here.
const (
	requestTime  = time.Minute
	longPollTime = 3 * time.Minute
)

// limitTime ends a request that takes too long.
func limitTime(c *gin.Context) {
	limit := requestTime
	switch path := c.FullPath(); {
	case path == "/v1/events":
		limit = longPollTime
	case path == "/v1/events/stream", strings.Contains(path, "/files/"), c.Request.Method == http.MethodPost && strings.HasPrefix(c.ContentType(), "multipart/"):
		return
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), limit)
	defer cancel()
	c.Request = c.Request.WithContext(ctx)
	c.Next()
}

// troubleMessage is logged when the database cannot serve.
const troubleMessage = "the database cannot serve requests"
