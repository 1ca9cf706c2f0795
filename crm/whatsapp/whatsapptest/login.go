package whatsapptest

import (
	"strconv"

	"go.mau.fi/whatsmeow/types"
)

// A login:
//
//	client                                  server
//	  handshake; payload: number, device
//	                              <------   success (or failure, and the end)
//	  iq encrypt: how many prekeys ----->
//	  iq encrypt: more prekeys     ----->
//	  iq passive: active           ----->
//	                              <------   ib offline_preview, what waited, ib offline
func (c *conn) login() {
	p := c.hello.payload
	number := types.NewJID(strconv.FormatUint(p.GetUsername(), 10), types.DefaultUserServer)
	person := c.srv.people[number]
	var device *Device
	if person != nil && person.account != nil {
		device = person.account.devices[uint16(p.GetDevice())]
	}
	// The key proves the identity: numbers are public.
	if device == nil || device.noise != c.hello.noise {
		c.fail(refusal{reason: 401})
		return
	}
	if r := device.account.faults.refusal; r != nil {
		c.fail(*r)
		return
	}
	if old := device.conn; old != nil {
		device.account.replaced++
		old.end(streamError("", node{Tag: "conflict", Attrs: attrs{"type": "replaced"}}))
		device.away()
	}
	c.device, device.conn = device, c
	c.send(node{Tag: "success", Attrs: attrs{
		"lid": device.hidden, "t": c.srv.opts.Now().Unix(), "location": "whatsapptest", "props": "1",
	}})
}

// refusal is the reason why a login fails.
type refusal struct {
	reason int
	more   attrs
}

func (c *conn) fail(r refusal) {
	c.end(node{Tag: "failure", Attrs: with(attrs{"reason": r.reason, "location": "whatsapptest"}, r.more)})
}

func streamError(code string, why ...node) node {
	n := node{Tag: "stream:error", Attrs: attrs{"code": code}}
	if len(why) > 0 {
		n.Content = why
	}
	return n
}
