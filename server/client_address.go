package server

import (
	"net"
	"net/netip"

	"github.com/gin-gonic/gin"

	"chatcast/channels/clientaddr"
)

// clientAddressKey is the key of the client's address in a request's context.
const clientAddressKey = "chatcast.clientAddress"

// findClient notes the address that a request comes from. gin's ClientIP is not used: it
// believes X-Real-IP, reads one header line only, and takes 192.0.2.1:443 for no address.
func findClient(trusted clientaddr.Proxies) gin.HandlerFunc {
	return func(c *gin.Context) {
		if addr := trusted.Client(c.Request.RemoteAddr, c.Request.Header.Values("X-Forwarded-For")); addr.IsValid() {
			c.Set(clientAddressKey, addr.String())
		}
	}
}

// ClientAddress returns the address that the request comes from, without port: that of
// the connection or, from a trusted proxy, the one that the proxy names.
func ClientAddress(c *gin.Context) string {
	if addr := c.GetString(clientAddressKey); addr != "" {
		return addr
	}
	if host, _, err := net.SplitHostPort(c.Request.RemoteAddr); err == nil {
		return host
	}
	return c.Request.RemoteAddr
}

// networkOf returns the network that a socket from remote is counted as. It is the zero
// Prefix when the socket is not counted: without a limit, and from loopback, a trusted
// proxy or a Unix socket, which stand for many clients.
func (s *Server) networkOf(remote string) netip.Prefix {
	addr, ok := clientaddr.Parse(remote)
	if !ok || s.limits().PerAddress <= 0 || addr.IsLoopback() || s.opt.Proxies.Contains(addr) {
		return netip.Prefix{}
	}
	return clientaddr.Network(addr)
}

// HasRoom reports whether one more socket from remote would be within PerAddress. It is for
// dialects whose clients understand a refused handshake; others are told by the socket.
func (s *Server) HasRoom(remote string) bool {
	network := s.networkOf(remote)
	if !network.IsValid() {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.networks[network] < s.limits().PerAddress
}
