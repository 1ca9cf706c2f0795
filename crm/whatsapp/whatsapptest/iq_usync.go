package whatsapptest

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"go.mau.fi/whatsmeow/proto/waVnameCert"
	"go.mau.fi/whatsmeow/types"
)

// iqUsync answers which users have WhatsApp, their devices, and their hidden ids.
func (c *conn) iqUsync(n node) ([]node, error) {
	query, ok1 := child(n, "usync", "query")
	list, ok2 := child(n, "usync", "list")
	if !ok1 || !ok2 {
		return nil, errUnknown
	}
	var users []node
	for _, u := range list.GetChildren() {
		jid := jidOf(u, "jid")
		asked := bytesOf(u, "contact") // by number, as the user typed it
		if jid.IsEmpty() {
			phone, _, _ := strings.Cut(strings.TrimPrefix(string(asked), "+"), "@")
			jid = types.NewJID(phone, types.DefaultUserServer)
		}
		if len(asked) > 0 {
			c.srv.lookups = append(c.srv.lookups, jid.User)
		}
		p := c.srv.find(jid)
		if p == nil && len(asked) > 0 {
			p = c.srv.typed[jid.User]
		}
		out := node{Tag: "user", Attrs: attrs{"jid": jid}}
		switch {
		case p == nil:
		case len(asked) > 0 && (p.hidden.IsEmpty() || !asksForHiddenID(query)):
			out.Attrs = attrs{"jid": p.number}
		case len(asked) > 0 && p.private:
			out.Attrs = attrs{"jid": p.hidden}
		case len(asked) > 0:
			out.Attrs = attrs{"jid": p.hidden, "pn_jid": p.number}
		}
		var parts []node
		for _, q := range query.GetChildren() {
			if part, ok := c.usyncPart(q.Tag, p, asked); ok {
				parts = append(parts, part)
			}
		}
		out.Content = parts
		users = append(users, out)
	}
	return []node{{Tag: "usync", Attrs: attrs{"mode": "query"}, Content: []node{{Tag: "list", Content: users}}}}, nil
}

// asksForHiddenID reports whether a client looks numbers up and wants hidden ids.
func asksForHiddenID(query node) bool {
	contact, ok := child(query, "contact")
	return ok && stringOf(contact, "addressing_mode") == "lid"
}

func (c *conn) usyncPart(what string, p *person, asked []byte) (node, bool) {
	switch what {
	case "contact":
		kind := "in"
		if p == nil {
			kind = "out"
		}
		part := node{Tag: what, Attrs: attrs{"type": kind}}
		if len(asked) > 0 && !c.srv.terse {
			part.Content = asked
		}
		return part, true
	case "devices":
		return node{Tag: what, Content: []node{{Tag: "device-list", Content: c.deviceList(p)}}}, p != nil
	case "lid":
		if p == nil || p.hidden.IsEmpty() {
			return node{}, false
		}
		return node{Tag: what, Attrs: attrs{"val": p.hidden}}, true
	case "status":
		if p == nil || p.about == "" {
			return node{}, false
		}
		return node{Tag: what, Content: []byte(p.about)}, true
	case "disappearing_mode":
		if p == nil || p.timerAt.IsZero() {
			return node{}, false
		}
		return node{Tag: what, Attrs: attrs{"duration": p.timer, "t": p.timerAt.Unix()}}, true
	case "business":
		if p == nil || p.business == "" {
			return node{}, false
		}
		return node{Tag: what, Content: []node{verifiedName(p.business)}}, true
	case "picture", "bot", "username":
		return node{}, false // no user has these
	}
	c.srv.note("usync for %q", what)
	return node{}, false
}

// verifiedName returns the certificate of a business. Clients do not check its signature.
func verifiedName(name string) node {
	details, err := proto.Marshal(&waVnameCert.VerifiedNameCertificate_Details{VerifiedName: &name})
	if err != nil {
		panic(err) // it is a string
	}
	cert, err := proto.Marshal(&waVnameCert.VerifiedNameCertificate{Details: details})
	if err != nil {
		panic(err)
	}
	return node{Tag: "verified_name", Attrs: attrs{"v": 1, "verified_level": "high", "host_storage": 1, "actual_actors": 1, "privacy_mode_ts": 1}, Content: cert}
}

// LookedUp returns the numbers that clients asked about, in order.
func (s *Server) LookedUp() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.lookups)
}

// deviceList leaves out the requesting device: it does not write to itself.
func (c *conn) deviceList(p *person) []node {
	if p == nil {
		return nil
	}
	out := []node{{Tag: "device", Attrs: attrs{"id": 0, "is_hosted": false}}}
	for _, d := range p.linked() {
		if d != c.device {
			out = append(out, node{Tag: "device", Attrs: attrs{"id": int(d.number.Device), "key-index": int(d.number.Device), "is_hosted": false}})
		}
	}
	return out
}
