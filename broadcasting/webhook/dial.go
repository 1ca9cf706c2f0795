package webhook

import (
	"net/http"
	"time"

	"chatcast/channels/dialguard"
)

// privateTarget is the error text of an attempt that dialguard refused.
const privateTarget = "webhook: the address is private, loopback, link-local or otherwise not public; webhooks.allow_private_targets lets webhooks go there"

// Bounds of an answer.
const (
	answerHeader = 16 << 10
	answerBody   = 4 << 10 // read so that the connection can be reused; more is cut
)

func newTransport(allowPrivate bool) *http.Transport {
	t := dialguard.NewTransport(postTime, allowPrivate)
	t.MaxResponseHeaderBytes = answerHeader
	t.MaxIdleConnsPerHost, t.IdleConnTimeout = 2, time.Minute
	return t
}
