package whatsapptest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"go.mau.fi/whatsmeow/appstate"
	"go.mau.fi/whatsmeow/proto/waSyncAction"
	"go.mau.fi/whatsmeow/types"
)

// Tokens show WhatsApp that two people know each other:
//
//	client                               server                     phone
//	  message                       ----->
//	  iq privacy: a token for you   ----->  Issued
//	                               <-----  notification privacy_token  <-----  Trust
//	  message with <tctoken>        ----->  checked
//	  message with <cstoken>        ----->  checked: a MAC of the recipient's
//	                                        hidden id under the account's salt
//
// A client sends a token of its own when a week has begun since the last one, and a
// cstoken to somebody whose token it does not have, once the phone has told it the salt.

// Tokens of a message, in Received.
const (
	TrustedContact = "tctoken"
	ContactSalt    = "cstoken"
)

// Trust gives the clients of the account a new token of this contact.
func (c *Contact) Trust(a *Account) {
	defer c.srv.lock()()
	c.trust(a)
}

func (p *person) trust(a *Account) {
	token, now := randomBytes(16), p.srv.opts.Now().Unix()
	a.tokens[p.number] = append(a.tokens[p.number], token) // earlier ones stay valid
	for _, d := range a.linked() {
		d.push(node{Tag: "notification", Attrs: attrs{
			"from": p.number, "sender_lid": p.hidden, "type": "privacy_token", "id": p.srv.nextID(), "t": now,
		}, Content: []node{{Tag: "tokens", Content: []node{{
			Tag: "token", Attrs: attrs{"jid": d.number.ToNonAD(), "t": now, "type": "trusted_contact"}, Content: token,
		}}}}})
	}
}

// Distrust makes the tokens void that the contact has given to the account. Its clients are
// not told.
func (c *Contact) Distrust(a *Account) {
	defer c.srv.lock()()
	a.void = append(a.void, a.tokens[c.number]...)
}

// SetSalt tells the account's clients the salt of cstokens, through the app state.
func (a *Account) SetSalt(salt []byte) {
	defer a.srv.lock()()
	a.salt = salt
	a.change(appstate.PatchInfo{Type: appstate.WAPatchRegularHigh, Mutations: []appstate.MutationInfo{{
		Index: []string{appstate.IndexNCTSaltSync}, Version: 1,
		Value: &waSyncAction.SyncActionValue{NctSaltSyncAction: &waSyncAction.NctSaltSyncAction{Salt: salt}},
	}}})
}

// AwaitIssued waits until a client of the account has given the contact a token.
func (a *Account) AwaitIssued(ctx context.Context, c *Contact) error {
	return a.srv.wait(ctx, "a token for "+c.number.User, func() bool { return !a.issued[c.number].IsZero() })
}

// RequireTokens makes the account's messages to people need a token, as WhatsApp does
// with accounts that it does not trust. People whose phone is not silent give theirs when
// they get the account's.
func (a *Account) RequireTokens(on bool) {
	defer a.srv.lock()()
	a.guarded = on
}

// missesToken reports whether WhatsApp refuses a message because the account is locked
// for strangers, or the message lacks a token. mu is held.
func (c *conn) missesToken(n node) bool {
	a, p := c.device.account, c.srv.find(jidOf(n, "to"))
	if p == nil || p == a.person || stringOf(n, "category") == "peer" {
		return false
	}
	if a.srv.opts.Now().Before(a.locked) && len(p.sent) == 0 {
		return true
	}
	_, trusted := child(n, TrustedContact)
	if token := bytesOf(n, TrustedContact); slices.ContainsFunc(a.void, func(t []byte) bool { return slices.Equal(t, token) }) {
		return true
	}
	_, salted := child(n, ContactSalt)
	return a.guarded && !trusted && !salted
}

// issue handles a client's <tokens>.
func (c *conn) issue(tokens node) error {
	for _, t := range tokens.GetChildren() {
		p := c.srv.find(jidOf(t, "jid"))
		at := t.AttrGetter().Int64("t")
		if t.Tag != "token" || stringOf(t, "type") != "trusted_contact" || p == nil || at <= 0 {
			return errBadRequest
		}
		c.device.account.issued[p.number] = time.Unix(at, 0)
		if a := c.device.account; a.guarded && !p.silent && p.account == nil {
			p.trust(a)
		}
	}
	return nil
}

// tokenOf returns the kind of token that a message to the person has, after checking it.
func (p *person) tokenOf(from *Device, n node) string {
	a := from.account
	if p == a.person { // the copy for the own phone
		return ""
	}
	if _, ok := child(n, TrustedContact); ok {
		token := bytesOf(n, TrustedContact)
		if !slices.ContainsFunc(a.tokens[p.number], func(given []byte) bool { return slices.Equal(given, token) }) {
			p.srv.note("message %s has a tctoken that %s did not give", stringOf(n, "id"), p.number)
		}
		return TrustedContact
	}
	if _, ok := child(n, ContactSalt); ok {
		mac := hmac.New(sha256.New, a.salt)
		mac.Write([]byte(p.hidden.String()))
		if a.salt == nil || !hmac.Equal(mac.Sum(nil), bytesOf(n, ContactSalt)) {
			p.srv.note("message %s has a wrong cstoken for %s", stringOf(n, "id"), p.number)
		}
		return ContactSalt
	}
	return ""
}

// mexAbout is the id of the query that sets the text about the account.
const mexAbout = "9152604461510864"

// iqMex answers queries in GraphQL.
func (c *conn) iqMex(n node) ([]node, error) {
	query, ok := child(n, "query")
	switch id := stringOf(query, "query_id"); {
	case ok && id == mexChannels:
		return c.device.account.followed()
	case !ok || id != mexAbout:
		return nil, errUnknown
	}
	var asked struct {
		Variables struct{ Input struct{ Text *string } }
	}
	raw, _ := query.Content.([]byte)
	if err := json.Unmarshal(raw, &asked); err != nil || asked.Variables.Input.Text == nil {
		return nil, errBadRequest
	}
	c.device.account.about = *asked.Variables.Input.Text
	return []node{{Tag: "result", Content: []byte(`{"data":{"xwa2_update_text_status":{"result":"SUCCESS"}}}`)}}, nil
}

// Announce sends the account's clients a GraphQL notification: data is what is under
// "data" in it.
func (a *Account) Announce(operation string, data any) {
	raw, err := json.Marshal(map[string]any{"data": data})
	if err != nil {
		panic(err) // only with a type that has no JSON
	}
	defer a.srv.lock()()
	for _, d := range a.linked() {
		d.push(node{Tag: "notification", Attrs: attrs{
			"from": types.ServerJID, "type": "mex", "id": a.srv.nextID(), "t": a.srv.opts.Now().Unix(),
		}, Content: []node{{Tag: "update", Attrs: attrs{"op_name": operation}, Content: raw}}})
	}
}

// Lock refuses the account's messages to strangers until the given time, and tells its
// clients. A zero time ends the lock.
func (a *Account) Lock(until time.Time) {
	unlock := a.srv.lock()
	a.locked = until
	unlock()
	lock := map[string]any{"is_active": !until.IsZero(), "enforcement_type": "DEFAULT"}
	if !until.IsZero() {
		lock["time_enforcement_ends"] = strconv.FormatInt(until.Unix(), 10)
	}
	a.Announce("NotificationUserReachoutTimelockUpdate", map[string]any{"xwa2_notify_account_reachout_timelock": lock})
}
