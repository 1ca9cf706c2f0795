package whatsapptest

import (
	"cmp"
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
			if !slices.Contains(privacyValues[stringOf(category, "name")], stringOf(category, "value")) {
				return nil, errBadRequest
			}
			a.privacy[stringOf(category, "name")] = stringOf(category, "value")
		}
	}
	var out []node
	for _, name := range []string{"groupadd", "last", "status", "profile", "readreceipts", "online", "calladd", "messages"} {
		out = append(out, node{Tag: "category", Attrs: attrs{"name": name, "value": cmp.Or(a.privacy[name], "all")}})
	}
	return []node{{Tag: "privacy", Content: out}}, nil
}

// privacyValues are what a client may set.
var privacyValues = map[string][]string{
	"groupadd": {"all", "contacts", "contact_blacklist", "none"}, "last": {"all", "contacts", "contact_blacklist", "none"},
	"status": {"all", "contacts", "contact_blacklist", "none"}, "profile": {"all", "contacts", "contact_blacklist", "none"},
	"readreceipts": {"all", "none"}, "online": {"all", "match_last_seen"}, "calladd": {"all", "known"}, "messages": {"all", "contacts"},
}

// SetPrivacy sets on the phone who sees something, and tells the clients nothing.
func (a *Account) SetPrivacy(name, value string) {
	defer a.srv.lock()()
	a.privacy[name] = value
}

// Privacy returns who sees something, or "all" when that was never set.
func (a *Account) Privacy(name string) string {
	a.srv.mu.Lock()
	defer a.srv.mu.Unlock()
	return cmp.Or(a.privacy[name], "all")
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
