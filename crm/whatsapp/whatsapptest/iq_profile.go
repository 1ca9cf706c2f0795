package whatsapptest

import (
	"slices"
	"strconv"
	"time"

	"go.mau.fi/whatsmeow/types"
)

// iqPrivacy answers that everybody may see everything, except for what the client
// changed. It also takes the tokens that the client gives to people.
func (c *conn) iqPrivacy(n node) ([]node, error) {
	if tokens, ok := child(n, "tokens"); ok && stringOf(n, "type") == "set" {
		return nil, c.issue(tokens)
	}
	privacy, ok := child(n, "privacy")
	if !ok {
		return nil, errUnknown
	}
	a := c.device.account
	if stringOf(n, "type") == "set" {
		for _, category := range privacy.GetChildren() {
			a.privacy[stringOf(category, "name")] = stringOf(category, "value")
		}
	}
	var out []node
	for _, name := range []string{"groupadd", "last", "status", "profile", "readreceipts", "online", "calladd", "messages"} {
		value := a.privacy[name]
		if value == "" {
			value = "all"
		}
		out = append(out, node{Tag: "category", Attrs: attrs{"name": name, "value": value}})
	}
	return []node{{Tag: "privacy", Content: out}}, nil
}

func (c *conn) iqBlocklist(n node) ([]node, error) {
	a := c.device.account
	if item, ok := child(n, "item"); ok {
		jid := user(jidOf(item, "jid"))
		if jid.Server != types.HiddenUserServer {
			return nil, errBadRequest // people are blocked by hidden id alone
		}
		switch stringOf(item, "action") {
		case "block":
			a.blocked[jid] = true
		case "unblock":
			delete(a.blocked, jid)
		default:
			return nil, errBadRequest
		}
	}
	var out []node
	for jid := range a.blocked {
		out = append(out, node{Tag: "item", Attrs: attrs{"jid": jid}})
	}
	return []node{{Tag: "list", Attrs: attrs{"dhash": "1"}, Content: out}}, nil
}

// Block blocks a person on the account's phone, or with false ends that, and tells the
// clients.
func (a *Account) Block(who *Contact, on bool) {
	defer a.srv.lock()()
	action := "block"
	if a.blocked[who.hidden] = true; !on {
		action = "unblock"
		delete(a.blocked, who.hidden)
	}
	for _, d := range a.linked() {
		d.push(node{Tag: "notification", Attrs: attrs{"from": a.number, "id": a.srv.nextID(), "type": "account_sync", "t": a.srv.opts.Now().Unix()}, Content: []node{{
			Tag: "blocklist", Attrs: attrs{"dhash": "1", "prev_dhash": "0"}, Content: []node{{Tag: "item", Attrs: attrs{"jid": who.hidden, "action": action}}},
		}}})
	}
}

// Blocks reports whether the account has blocked a person.
func (a *Account) Blocks(who *Contact) bool {
	a.srv.mu.Lock()
	defer a.srv.mu.Unlock()
	return a.blocked[who.hidden]
}

// iqPicture stores and returns profile pictures.
func (c *conn) iqPicture(n node) ([]node, error) {
	target := jidOf(n, "target")
	if target.IsEmpty() {
		target = c.device.number
	}
	target = user(target)
	picture, ok := child(n, "picture")
	if stringOf(n, "type") == "set" {
		delete(c.srv.media.pictures, target)
		if !ok {
			return nil, nil
		}
		data, _ := picture.Content.([]byte)
		return []node{{Tag: "picture", Attrs: attrs{"id": c.srv.media.setPicture(target, data)}}}, nil
	}
	if p := c.srv.find(target); p != nil {
		target = p.number
	}
	c.srv.pictureAsked = append(c.srv.pictureAsked, target.User)
	if c.srv.media.hidden[target] {
		return nil, errUnauthorized
	}
	found, has := c.srv.media.pictures[target]
	if !has {
		return nil, errNotFound
	}
	if stringOf(picture, "id") == found.id {
		return nil, nil
	}
	return []node{{Tag: "picture", Attrs: attrs{
		"id": found.id, "type": stringOf(picture, "type"), "url": "https://" + mediaHostname + found.path, "direct_path": found.path,
	}}}, nil
}

func (c *conn) iqBusiness(n node) ([]node, error) {
	profile, ok := child(n, "business_profile", "profile")
	if !ok {
		return nil, errUnknown
	}
	return []node{{Tag: "business_profile", Content: []node{
		{Tag: "profile", Attrs: attrs{"jid": jidOf(profile, "jid")}},
	}}}, nil
}

// iqTimer sets after how many seconds messages disappear in new chats.
func (c *conn) iqTimer(n node) ([]node, error) {
	what, ok := child(n, "disappearing_mode")
	if !ok {
		return nil, errUnknown
	}
	seconds, err := strconv.Atoi(stringOf(what, "duration"))
	if err != nil {
		return nil, errBadRequest
	}
	me := c.device.account.person
	me.timer, me.timerAt = seconds, c.srv.opts.Now()
	return nil, nil
}

// SetTimer sets on the phone, at that time, after how many seconds messages disappear in
// new chats.
func (p *person) SetTimer(seconds int, at time.Time) {
	defer p.srv.lock()()
	p.timer, p.timerAt = seconds, at
}

// Timer returns what SetTimer or a client has set last.
func (p *person) Timer() int {
	p.srv.mu.Lock()
	defer p.srv.mu.Unlock()
	return p.timer
}

// SetPicture gives the person a profile picture, or takes it away, and tells the accounts.
func (p *person) SetPicture(jpeg []byte) {
	defer p.srv.lock()()
	p.srv.setPicture(p.number, jpeg)
}

// HidePicture sets whether the person's settings hide the picture. Nobody is told.
func (p *person) HidePicture(on bool) {
	defer p.srv.lock()()
	p.srv.media.hidden[p.number] = on
}

// SetPicture gives the group a picture, or takes it away, and tells the accounts.
func (g *Group) SetPicture(jpeg []byte) {
	defer g.srv.lock()()
	g.srv.setPicture(g.jid, jpeg)
}

func (s *Server) setPicture(of types.JID, jpeg []byte) {
	what := node{Tag: "delete", Attrs: attrs{"jid": of}}
	if jpeg == nil {
		delete(s.media.pictures, of)
	} else {
		what = node{Tag: "set", Attrs: attrs{"jid": of, "id": s.media.setPicture(of, jpeg)}}
	}
	for _, a := range s.accounts() {
		for _, d := range a.linked() {
			d.push(node{Tag: "notification", Attrs: attrs{"from": of, "id": s.nextID(), "type": "picture", "t": s.opts.Now().Unix()}, Content: []node{what}})
		}
	}
}

// PicturesAsked returns whose pictures clients asked for, in order.
func (s *Server) PicturesAsked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.pictureAsked)
}
