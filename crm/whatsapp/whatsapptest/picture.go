package whatsapptest

import (
	"bytes"
	"image/jpeg"
	"slices"

	"go.mau.fi/whatsmeow/types"
)

// iqPicture stores and returns pictures of people and groups. A client may change its own,
// and those of groups that let it.
func (c *conn) iqPicture(n node) ([]node, error) {
	target := jidOf(n, "target")
	if target.IsEmpty() {
		target = c.device.number
	}
	target = user(target)
	if p := c.srv.find(target); p != nil {
		target = p.number
	}
	if stringOf(n, "type") == "set" {
		return c.setPicture(n, target)
	}
	picture, _ := child(n, "picture")
	c.srv.pictureAsked = append(c.srv.pictureAsked, target.User)
	g := c.srv.groups[target]
	if c.srv.media.hidden[target] || g != nil && g.member(c.device.account.person) == nil {
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

// setPicture gives the target a picture, or takes it away when the request has none.
func (c *conn) setPicture(n node, target types.JID) ([]node, error) {
	me, g := c.device.account.person, c.srv.groups[target]
	switch {
	case g == nil && !me.is(target):
		return nil, errForbidden
	case g != nil && g.member(me) == nil:
		return nil, errNotFound
	case g != nil && g.locked && g.member(me).rank == "":
		return nil, errForbidden
	}
	picture, ok := child(n, "picture")
	data, _ := picture.Content.([]byte)
	if !ok {
		delete(c.srv.media.pictures, target)
		c.tellPicture(g, "")
		return nil, nil
	}
	if config, err := jpeg.DecodeConfig(bytes.NewReader(data)); err != nil || config.Width != config.Height || config.Width > 640 {
		return nil, &iqError{406, "not-acceptable"}
	}
	id := c.srv.media.setPicture(target, data)
	c.tellPicture(g, id)
	return []node{{Tag: "picture", Attrs: attrs{"id": id}}}, nil
}

// tellPicture tells the members of a group of its new picture, but not its author.
func (c *conn) tellPicture(g *Group, id string) {
	if g != nil {
		g.tellPicture(c.device.account.person, c.device, id)
	}
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

// Picture returns the picture of a person or a group, or nil.
func (s *Server) Picture(of types.JID) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.media.pictures[of]
	if !ok {
		return nil
	}
	file, _ := s.media.get(found.path)
	return bytes.Clone(file.data)
}
