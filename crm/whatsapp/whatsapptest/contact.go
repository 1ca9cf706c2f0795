package whatsapptest

import "go.mau.fi/whatsmeow/types"

// Contact is a customer: a number with a phone of its own. The phone writes to
// accounts and reads what their clients write.
type Contact struct{ *person }

// NewContact creates a customer. hidden may be empty: clients
// cannot write to such a number, because they address people by hidden id.
func (s *Server) NewContact(phone, hidden, name string) *Contact {
	defer s.lock()()
	return &Contact{s.newPerson(phone, hidden, name)}
}

// Reinstall gives the contact new keys, like a new phone, and notifies the accounts
// that the identity changed.
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

// SetName changes the push name, which is sent with the next message.
func (c *Contact) SetName(name string) {
	defer c.srv.lock()()
	c.name = name
}

// AlsoTyped makes WhatsApp find the contact when it is asked about another number, as it
// does for numbers of countries that write theirs in two ways. The answer has the number
// of the contact.
func (c *Contact) AlsoTyped(phone string) {
	defer c.srv.lock()()
	c.srv.typed[phone] = c.person
}

// SetBusiness makes the contact a business whose name WhatsApp has verified.
func (c *Contact) SetBusiness(name string) {
	defer c.srv.lock()()
	c.business = name
}

// HideNumber makes WhatsApp tell nobody the contact's number: what the contact writes and
// answers about it name the hidden id alone.
func (c *Contact) HideNumber() {
	defer c.srv.lock()()
	c.private = true
}

// ShowNumber ends HideNumber.
func (c *Contact) ShowNumber() {
	defer c.srv.lock()()
	c.private = false
}

// ChangeNumber moves the contact to another number. The hidden id stays, and is known by
// the new number alone.
func (c *Contact) ChangeNumber(phone string) {
	defer c.srv.lock()()
	delete(c.srv.people, c.number)
	c.number = types.NewJID(phone, types.DefaultUserServer)
	c.srv.people[c.number] = c.person
}

// Silence stops the delivered receipts of the contact's phone, as if the phone were
// off. Inbox still receives messages.
func (c *Contact) Silence(on bool) {
	defer c.srv.lock()()
	c.silent = on
}

// LetNobodyAdd sets whether the contact's settings forbid everybody to add them to
// groups.
func (c *Contact) LetNobodyAdd(on bool) {
	defer c.srv.lock()()
	c.uninvited = on
}

// accounts returns every account once. mu is held.
func (s *Server) accounts() []*Account {
	var out []*Account
	for jid, p := range s.people {
		if p.account != nil && jid == p.number {
			out = append(out, p.account)
		}
	}
	return out
}
