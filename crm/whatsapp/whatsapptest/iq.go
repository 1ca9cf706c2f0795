package whatsapptest

import (
	"errors"
	"fmt"
	"slices"

	"go.mau.fi/whatsmeow/types"
)

// A request <iq type="get" or "set" xmlns=...> is answered by <iq type="result">
// or, when the server does not know it, by <iq type="error"> and an entry in
// Unhandled.

// iqError is an error answer to a request.
type iqError struct {
	code int
	text string
}

func (e *iqError) Error() string { return fmt.Sprintf("%d %s", e.code, e.text) }

var (
	errNotFound     = &iqError{404, "item-not-found"}
	errForbidden    = &iqError{403, "forbidden"}
	errBadRequest   = &iqError{400, "bad-request"}
	errUnknown      = &iqError{501, "feature-not-implemented"}
	errUnauthorized = &iqError{401, "not-authorized"}

	errNoAnswer = errors.New("the request is not answered")
)

func refusedWith(code int) error {
	if code == 429 {
		return &iqError{code, "rate-overlimit"}
	}
	return &iqError{code, "refused"}
}

type iqHandler func(*conn, node) ([]node, error)

// iqHandlers maps an xmlns to its handler. It is filled in init, because handlers
// reach dispatch.
var iqHandlers map[string]iqHandler

func init() {
	iqHandlers = map[string]iqHandler{
		"w:p":                     func(*conn, node) ([]node, error) { return nil, nil }, // ping
		"passive":                 (*conn).iqPassive,
		"encrypt":                 (*conn).iqKeys,
		"usync":                   (*conn).iqUsync,
		"md":                      (*conn).iqDevices,
		"w:m":                     (*conn).iqMediaConn,
		"w:g2":                    (*conn).iqGroups,
		"w:sync:app:state":        (*conn).iqAppState,
		"privacy":                 (*conn).iqPrivacy,
		"w:mex":                   (*conn).iqMex,
		"blocklist":               (*conn).iqBlocklist,
		"w:profile:picture":       (*conn).iqPicture,
		"w:biz":                   (*conn).iqBusiness,
		"disappearing_mode":       (*conn).iqTimer,
		"status":                  (*conn).iqStatus,
		"urn:xmpp:whatsapp:push":  func(*conn, node) ([]node, error) { return nil, nil },
		"urn:xmpp:whatsapp:dirty": func(*conn, node) ([]node, error) { return nil, nil },
	}
}

// beforeLogin holds the xmlns that a client may use while it pairs.
var beforeLogin = map[string]bool{"w:p": true, "md": true}

func (c *conn) onIQ(n node) {
	switch stringOf(n, "type") {
	case "result", "error": // an answer to our request: only that of pairing matters
		if c.pairing != nil && !c.pairing.done && stringOf(n, "id") == c.pairing.request {
			c.onPairAnswer(n)
		}
		return
	}
	ns := stringOf(n, "xmlns")
	if c.srv.asked == nil {
		c.srv.asked = map[string]int{}
	}
	c.srv.asked[ns]++
	if query, ok := child(n, ns, "query"); ok && len(query.GetChildren()) > 0 {
		c.srv.asked[ns+" "+query.GetChildren()[0].Tag]++
	}
	if slices.Contains(c.srv.muted, ns) {
		return
	}
	handle, ok := iqHandlers[ns]
	if !ok {
		handle = func(*conn, node) ([]node, error) { return nil, errUnknown }
	}
	if code := c.srv.refused[ns]; code != 0 {
		handle = func(*conn, node) ([]node, error) { return nil, refusedWith(code) }
	}
	if c.device == nil && !beforeLogin[ns] {
		handle = func(*conn, node) ([]node, error) { return nil, errUnauthorized }
	}
	answer := node{Tag: "iq", Attrs: attrs{"id": stringOf(n, "id"), "from": types.ServerJID, "type": "result"}}
	if to := jidOf(n, "to"); !to.IsEmpty() {
		answer.Attrs["from"] = to
	}
	content, err := handle(c, n)
	if err == errNoAnswer {
		return
	}
	if err != nil {
		problem, ok := err.(*iqError)
		if !ok {
			problem = &iqError{500, err.Error()}
		}
		if problem == errUnknown || !ok {
			c.srv.note("%v: %s", err, n.String())
		}
		answer.Attrs["type"] = "error"
		content = []node{{Tag: "error", Attrs: attrs{"code": problem.code, "text": problem.text}}}
	}
	if len(content) > 0 {
		answer.Content = content
	}
	c.send(answer)
	if ns == "passive" && err == nil && c.device != nil {
		if _, ready := child(n, "active"); ready {
			c.device.activate()
		}
	}
}

func (c *conn) iqPassive(n node) ([]node, error) {
	if _, ok := child(n, "active"); ok {
		return nil, nil
	}
	if _, ok := child(n, "passive"); ok {
		return nil, nil
	}
	return nil, errUnknown
}

// iqDevices links and unlinks the client itself.
func (c *conn) iqDevices(n node) ([]node, error) {
	if reg, ok := child(n, "link_code_companion_reg"); ok && c.device == nil {
		return c.linkCode(reg)
	}
	if c.passkey != nil && c.device == nil {
		return c.iqPasskey(n)
	}
	if gone, ok := child(n, "remove-companion-device"); ok && c.device != nil {
		if jidOf(gone, "jid") != c.device.number {
			return nil, errForbidden
		}
		delete(c.device.account.devices, c.device.number.Device)
		c.finished = true // the client hangs up once it has the answer
		return nil, nil
	}
	return nil, errUnknown
}
