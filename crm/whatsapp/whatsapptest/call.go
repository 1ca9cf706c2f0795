package whatsapptest

import (
	"context"
	"encoding/hex"
	"slices"
	"strings"
)

// CallAction is what a client did about a contact's call.
type CallAction struct {
	Call   string // its id
	Action string // reject
}

func (c *conn) onCall(n node) {
	p := c.srv.find(jidOf(n, "to"))
	if p == nil {
		return
	}
	for _, action := range n.GetChildren() {
		p.calls = append(p.calls, CallAction{stringOf(action, "call-id"), action.Tag})
	}
}

// Call rings the account. There is no audio: companion devices cannot take calls.
func (c *Contact) Call(a *Account, video bool) (id string) {
	defer c.srv.lock()()
	id = strings.ToUpper(hex.EncodeToString(randomBytes(16)))
	offer := node{Tag: "offer", Attrs: c.inCall(id), Content: []node{{Tag: "audio", Attrs: attrs{"enc": "opus", "rate": 16000}}}}
	if video {
		offer.Content = append(offer.GetChildren(), node{Tag: "video", Attrs: attrs{"enc": "vp8"}})
	}
	c.ring(a, offer)
	return id
}

// HangUp ends a call. reason is "timeout" or empty.
func (c *Contact) HangUp(a *Account, id, reason string) {
	defer c.srv.lock()()
	c.ring(a, node{Tag: "terminate", Attrs: with(c.inCall(id), attrs{"reason": reason})})
}

func (c *Contact) inCall(id string) attrs {
	a := attrs{"call-id": id, "call-creator": c.number}
	if !c.hidden.IsEmpty() {
		a["caller_lid"] = c.hidden
	}
	return a
}

func (c *Contact) ring(a *Account, what node) {
	for _, d := range a.linked() {
		d.push(node{Tag: "call", Attrs: attrs{
			"from": c.number, "call-creator": c.number, "id": c.srv.nextID(), "t": c.srv.opts.Now().Unix(),
			"platform": "android", "version": "2.25.1", "notify": c.name,
		}, Content: []node{what}})
	}
}

// Calls returns what clients did about the contact's calls.
func (c *Contact) Calls() []CallAction {
	defer c.srv.lock()()
	return slices.Clone(c.calls)
}

// AwaitRejected waits until a client has rejected the call.
func (c *Contact) AwaitRejected(ctx context.Context, id string) error {
	return c.srv.wait(ctx, "the rejection of "+id, func() bool {
		return slices.Contains(c.calls, CallAction{id, "reject"})
	})
}
