package pusher

import (
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"chatcast/server"
)

// notAWebSocket is the answer to a plain GET of a socket's address.
const notAWebSocket = `This is the address of a WebSocket, and the request does not ask for one: it has no "Upgrade: websocket".
If a WebSocket client has sent it, a proxy between them has dropped the header. nginx needs

    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection "upgrade";

`

// plainGets counts plain GETs of sockets' addresses, and logs one in plainGetLog. The
// zero value is ready. It is safe for concurrent use.
type plainGets struct {
	mu     sync.Mutex
	logged time.Time // guarded by mu
	since  int       // guarded by mu: requests that were not logged
}

const plainGetLog = time.Minute

// due counts a request, and returns how many there were since the last that was logged; 0
// when this one is not to be logged.
func (p *plainGets) due(now time.Time) (requests int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.since++
	if !p.logged.IsZero() && now.Sub(p.logged) < plainGetLog {
		return 0
	}
	requests, p.since, p.logged = p.since, 0, now
	return requests
}

// explain answers a plain GET of a socket's address. Clients behind a proxy that knows no
// WebSockets send nothing else, so the log says it, too.
func (s *Server) explain(c *gin.Context) {
	if n := s.plain.due(time.Now()); n > 0 {
		s.opt.Log.Info("a plain GET came where a WebSocket was expected; if clients cannot connect, a proxy drops the header Upgrade",
			"requests", n, "remote", server.ClientAddress(c), "user_agent", shortened(c.GetHeader("User-Agent")))
	}
	c.Header("Upgrade", "websocket")
	c.Header("Connection", "Upgrade")
	c.Header("Cache-Control", "no-store")
	c.String(http.StatusUpgradeRequired, notAWebSocket)
	c.Abort()
}
