package whatsapptest

// Contact is a customer: a number with a phone of its own, which writes to
// accounts and reads what their clients write.
type Contact struct{ *person }

// NewContact makes a customer. hidden may be empty: not everybody has a LID.
func (s *Server) NewContact(phone, hidden, name string) *Contact {
	defer s.lock()()
	return &Contact{s.newPerson(phone, hidden, name)}
}

// Reinstall gives the contact new keys, as a new phone has them, and tells the
// accounts that the identity changed.
func (c *Contact) Reinstall() {
	defer c.srv.lock()()
	c.party = newParty()
	for _, a := range c.srv.accounts() {
		for _, d := range a.linked() {
			d.push(node{Tag: "notification", Attrs: attrs{
				"from": c.number, "id": c.srv.nextID(), "type": "encrypt", "t": c.srv.opts.Now().Unix(),
			}, Content: []node{{Tag: "identity"}}})
		}
	}
}

// SetName changes the push name, which travels with the next message.
func (c *Contact) SetName(name string) {
	defer c.srv.lock()()
	c.name = name
}

// Silence stops the delivered receipts of the contact's phone, as if it were off
// for all but us.
func (c *Contact) Silence(on bool) {
	defer c.srv.lock()()
	c.silent = on
}

// accounts are all accounts, once each; mu is held.
func (s *Server) accounts() []*Account {
	var out []*Account
	for jid, p := range s.people {
		if p.account != nil && jid == p.number {
			out = append(out, p.account)
		}
	}
	return out
}
