package server

import (
	"context"
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/gorilla/websocket"
)

// StatusClientGone answers a request whose client has gone before it was done, as nginx
// logs it. net/http also takes a client for gone that has closed only its own direction:
// that one reads the answer, which must not be the 200 of a handler that writes nothing.
const StatusClientGone = 499

// ClientGone reports whether the request with this context has ended because its client
// has. Whoever else ends a request gives a cause.
func ClientGone(ctx context.Context) bool {
	return errors.Is(context.Cause(ctx), context.Canceled)
}

// answerGivenUp answers a request that has ended before its handler answered it: net/http
// would answer 200, and its sender would take for done what was not.
func answerGivenUp(c *gin.Context) {
	ctx := c.Request.Context() // handlers replace it
	c.Next()
	switch {
	case ctx.Err() == nil, c.Writer.Written(), c.Writer.Status() != http.StatusOK, websocket.IsWebSocketUpgrade(c.Request):
	case ClientGone(ctx):
		c.AbortWithStatus(StatusClientGone)
	default:
		c.AbortWithStatusJSON(http.StatusServiceUnavailable, ErrorAnswer{Error: ErrorObject{
			Code: CodeUnavailable, Message: "the request was given up; try again",
		}})
	}
}
