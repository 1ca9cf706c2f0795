package whatsapptest

import (
	"go.mau.fi/whatsmeow/types"
)

// iqKeys stores the prekeys that clients upload, and returns the keys of any
// device.
func (c *conn) iqKeys(n node) ([]node, error) {
	if _, ok := child(n, "count"); ok {
		return []node{{Tag: "count", Attrs: attrs{"value": len(c.device.preKeys)}}}, nil
	}
	if list, ok := child(n, "list"); ok && stringOf(n, "type") == "set" {
		return nil, c.device.keepKeys(n, list)
	}
	query, ok := child(n, "key")
	if !ok {
		return nil, errUnknown
	}
	var users []node
	for _, u := range query.GetChildren() {
		jid := jidOf(u, "jid")
		b := c.srv.bundleOf(jid)
		if b == nil {
			users = append(users, node{Tag: "user", Attrs: attrs{"jid": jid}, Content: []node{
				{Tag: "error", Attrs: attrs{"code": errNotFound.code, "text": errNotFound.text}},
			}})
			continue
		}
		users = append(users, node{Tag: "user", Attrs: attrs{"jid": jid, "t": c.srv.opts.Now().Unix()}, Content: b.nodes()})
	}
	return []node{{Tag: "list", Content: users}}, nil
}

// bundleOf returns the key bundle of a device, or nil.
func (s *Server) bundleOf(jid types.JID) *bundle {
	p := s.find(jid)
	switch {
	case p == nil:
		return nil
	case jid.Device == 0:
		return p.party.bundle()
	case p.account == nil || p.account.devices[jid.Device] == nil:
		return nil
	}
	return p.account.devices[jid.Device].bundle()
}

func (d *Device) keepKeys(n, list node) error {
	signed, ok := child(n, "skey")
	identity := bytesOf(n, "identity")
	if !ok || len(identity) != 32 {
		return errBadRequest
	}
	key, err := readKey(signed)
	if err != nil || !verify([32]byte(identity), key) || [32]byte(identity) != d.identity {
		d.srv().note("prekeys under keys that are not the device's")
		return errBadRequest
	}
	d.signed = key
	known := make(map[uint32]bool, len(d.preKeys))
	for _, k := range d.preKeys {
		known[k.KeyID] = true
	}
	for _, item := range list.GetChildren() {
		k, err := readKey(item)
		if err != nil {
			return errBadRequest
		}
		if !known[k.KeyID] {
			d.preKeys = append(d.preKeys, k)
		}
	}
	d.asked = false
	return nil
}
