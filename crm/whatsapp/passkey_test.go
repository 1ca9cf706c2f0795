package whatsapp

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/crm"
	"chatcast/crm/whatsapp/whatsapptest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// linking is a phone that has scanned the line's code, and waits.
type linking struct {
	key  *whatsapptest.Passkey
	done chan error // has the result of the scan
}

// scan has the phone of an account with a passkey scan the line's code, and waits until
// the passkey is asked for.
func (h *harness) scan(t *testing.T, how whatsapptest.PasskeyOptions) (*linking, *crm.PasskeyOptions) {
	t.Helper()
	l := h.scanned(t, h.shop, testLine, how)
	return l, h.asked(t, testLine)
}

func (h *harness) scanned(t *testing.T, account *whatsapptest.Account, on crm.Line, how whatsapptest.PasskeyOptions) *linking {
	t.Helper()
	l := &linking{key: account.RequirePasskey(how), done: make(chan error, 1)}
	var p crm.Pairing
	eventually(t, "there is no code", func() bool {
		var err error
		p, err = h.Pair(testwait.Context(t), h.Owner, on, nil)
		return err == nil && p.QR != nil
	})
	go func() {
		_, err := account.ScanQR(testwait.Context(t), *p.QR)
		l.done <- err
	}()
	return l
}

// asked waits for the options of the passkey that a line's pairing asks for.
func (h *harness) asked(t *testing.T, on crm.Line) *crm.PasskeyOptions {
	t.Helper()
	var p crm.Pairing
	eventually(t, "no passkey is asked for", func() bool {
		var err error
		p, err = h.Pair(testwait.Context(t), h.Owner, on, nil)
		return err == nil && p.Passkey != nil && p.Passkey.Options != nil
	})
	return p.Passkey.Options
}

// answer gives the assertion, as a program does.
func (h *harness) answer(t *testing.T, assertion []byte) error {
	t.Helper()
	var in crm.PasskeyAnswer
	if err := json.Unmarshal(assertion, &in.Assertion); err != nil {
		t.Fatal(err)
	}
	return h.AnswerPasskey(t.Context(), h.Owner, testLine, in)
}

func (h *harness) sign(t *testing.T, l *linking, s whatsapptest.Signing) error {
	t.Helper()
	return h.answer(t, l.key.Sign(s))
}

func (h *harness) confirm(t *testing.T, code string) error {
	t.Helper()
	return h.AnswerPasskey(t.Context(), h.Owner, testLine, crm.PasskeyAnswer{Code: &code})
}

// wantConflict fails unless err is a conflict whose message contains part.
func wantConflict(t *testing.T, what string, err error, part string) {
	t.Helper()
	var e *crm.Error
	if !errors.As(err, &e) || e.Code != crm.CodeConflict || !strings.Contains(e.Message, part) {
		t.Errorf("%s: %v, want a conflict with %q", what, err, part)
	}
}

// shownOnSocket waits for a qr event with a passkey step that matches.
func (h *harness) shownOnSocket(t *testing.T, what string, match func(crm.PasskeyStep) bool) (item crm.QRItem) {
	t.Helper()
	eventually(t, "no qr event shows "+what, func() bool {
		for _, ev := range h.Live.Published() {
			var data struct{ Payload struct{ Data []crm.QRItem } }
			if ev.Name != crm.EventQR || json.Unmarshal([]byte(ev.Data), &data) != nil {
				continue
			}
			item = data.Payload.Data[0]
			if item.Passkey != nil && match(*item.Passkey) {
				return true
			}
		}
		return false
	})
	return item
}

// TestPairByPasskey pairs an account for which WhatsApp asks a passkey. On the way it
// gives everything that does not answer the question; only what does counts, once.
func TestPairByPasskey(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		early := h.shop.RequirePasskey(whatsapptest.PasskeyOptions{}).Sign(whatsapptest.Signing{Challenge: "aGk"})
		wantConflict(t, "without a pairing", h.answer(t, early), "no pairing")
		eventually(t, "there is no code", func() bool {
			_, err := h.Pair(testwait.Context(t), h.Owner, testLine, nil)
			return err == nil
		})
		wantConflict(t, "before it was asked for", h.answer(t, early), "no pairing")
		wantConflict(t, "a cancellation before anything was asked", h.CancelPasskey(t.Context(), h.Owner, testLine), "no pairing")
		l, o := h.scan(t, whatsapptest.PasskeyOptions{})
		h.awaitState(t, crm.StatePasskey)
		shown := h.shownOnSocket(t, "the options", func(s crm.PasskeyStep) bool { return s.Options != nil && s.Options.Challenge == o.Challenge })
		if left := time.Until(time.Unix(shown.ExpiresAt, 0)); shown.QR != nil || shown.Code != nil || left > usual.passkey+time.Second || left < usual.passkey-testwait.Long ||
			shown.Passkey.Origin != "https://web.whatsapp.com" || o.RPID != "whatsapp.com" || o.Timeout != 60000 || len(o.AllowCredentials) != 1 ||
			o.AllowCredentials[0].Transports == nil || o.UserVerification != "required" {
			t.Errorf("the event shows %+v, with %+v", shown, o)
		}
		if p, err := h.Pair(t.Context(), h.Owner, testLine, new("79990001122")); err != nil || p.Passkey == nil || p.Code != nil {
			t.Errorf("asked for a code meanwhile, it shows %+v, %v", p, err)
		}
		h.refusesWhatIsNoAnswer(t, l, o)

		if err := h.sign(t, l, whatsapptest.Signing{Challenge: o.Challenge}); err != nil {
			t.Fatal(err)
		}
		wantConflict(t, "the same once more", h.sign(t, l, whatsapptest.Signing{Challenge: o.Challenge}), "already")
		if err := <-l.done; err != nil {
			t.Fatal(err)
		}
		h.awaitState(t, crm.StateConnected)
		wantConflict(t, "the same afterwards", h.sign(t, l, whatsapptest.Signing{Challenge: o.Challenge}), "paired already")
		h.anna.SendText(h.shop, "hello")
		h.awaitItem(t, crm.EventMessage, "hello")
		if u := h.wa.Unhandled(); len(u) > 0 {
			t.Errorf("the stand-in was asked for what it does not know: %q", u)
		}
	})
}

func (h *harness) refusesWhatIsNoAnswer(t *testing.T, l *linking, o *crm.PasskeyOptions) {
	t.Helper()
	good := whatsapptest.Signing{Challenge: o.Challenge}
	with := func(change func(*whatsapptest.Signing)) []byte {
		s := good
		change(&s)
		return l.key.Sign(s)
	}
	replaced := func(old, now string) []byte { return []byte(strings.Replace(string(l.key.Sign(good)), old, now, 1)) }
	stranger := h.wa.NewAccount("79990003322", "100200309", "Other").RequirePasskey(whatsapptest.PasskeyOptions{})
	const client, device = "assertion.response.clientDataJSON", "assertion.response.authenticatorData"
	for name, c := range map[string]struct {
		assertion []byte
		field     string
	}{
		"another page":                    {with(func(s *whatsapptest.Signing) { s.Origin = "https://web.whatsapp.com.example" }), client + ".origin"},
		"our own page":                    {with(func(s *whatsapptest.Signing) { s.Origin = "http://127.0.0.1:6001" }), client + ".origin"},
		"another line's, or an old one":   {with(func(s *whatsapptest.Signing) { s.Challenge = base64.RawURLEncoding.EncodeToString(make([]byte, 32)) }), client + ".challenge"},
		"no challenge":                    {with(func(s *whatsapptest.Signing) { s.Challenge = "" }), client + ".challenge"},
		"a registration":                  {with(func(s *whatsapptest.Signing) { s.Type = "webauthn.create" }), client + ".type"},
		"another site":                    {with(func(s *whatsapptest.Signing) { s.Site = "example.com" }), device + ".rpIdHash"},
		"nobody was there":                {with(func(s *whatsapptest.Signing) { s.Flags = 0b100 }), device + ".flags"},
		"nobody was verified":             {with(func(s *whatsapptest.Signing) { s.Flags = 0b001 }), device + ".flags"},
		"another account's passkey":       {stranger.Sign(good), "assertion.rawId"},
		"ids that differ":                 {replaced(`"id":"`, `"id":"AAAA`), "assertion.rawId"},
		"no id":                           {replaced(`"rawId":"`+encoded(l.key.ID), `"rawId":"`), "assertion.rawId"},
		"standard base64":                 {replaced(`"authenticatorData":"`, `"authenticatorData":"+/+/`), device},
		"cut base64":                      {replaced(`"authenticatorData":"`, `"authenticatorData":"AAA`), device},
		"no JSON in it":                   {replaced(`"clientDataJSON":"e`, `"clientDataJSON":"f`), client},
		"too long":                        {replaced(`"signature":"`, `"signature":"`+strings.Repeat("AAAA", 1<<14)), "assertion.response.signature"},
		"a user handle that is no base64": {replaced(`"userHandle":"`, `"userHandle":"?`), "assertion.response.userHandle"},
		"another type":                    {replaced(`public-key`, `password`), "assertion.type"},
	} {
		var e *crm.Error
		if err := h.answer(t, c.assertion); !errors.As(err, &e) || e.Code != crm.CodeInvalid || e.Fields[c.field] == "" {
			t.Errorf("%s: %v, want the field %s", name, err, c.field)
		}
	}
	signed := new(crm.PasskeyAssertion)
	if err := json.Unmarshal(l.key.Sign(good), signed); err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string]crm.PasskeyAnswer{"nothing": {}, "both": {Assertion: signed, Code: new("ABCD-EFGH")}, "an empty code": {Code: new("")}} {
		var e *crm.Error
		if err := h.AnswerPasskey(t.Context(), h.Owner, testLine, in); !errors.As(err, &e) || e.Code != crm.CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	wantConflict(t, "a code before there is one", h.confirm(t, "ABCD-EFGH"), "no code")
	for who, code := range map[crm.Actor]crm.Code{h.Operator: crm.CodeDenied, h.Reader: crm.CodeDenied, h.Stranger: crm.CodeNotFound} {
		var e *crm.Error
		if err := h.AnswerPasskey(t.Context(), who, testLine, crm.PasskeyAnswer{Assertion: signed}); !errors.As(err, &e) || e.Code != code {
			t.Errorf("user %d answers: %v", who.UserID, err)
		}
		if err := h.CancelPasskey(t.Context(), who, testLine); !errors.As(err, &e) || e.Code != code {
			t.Errorf("user %d cancels: %v", who.UserID, err)
		}
	}
	if line, err := h.LineStatus(t.Context(), h.Owner, testLine); err != nil || line.State != crm.StatePasskey || line.Detail != detailPasskey {
		t.Errorf("after all that the line is %+v, %v", line, err)
	}
}

// TestPasskeyCode pairs an account whose phone shows a code to compare.
func TestPasskeyCode(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		l, o := h.scan(t, whatsapptest.PasskeyOptions{Ignored: 1})
		signed := l.key.Sign(whatsapptest.Signing{Challenge: o.Challenge})
		var in crm.PasskeyAnswer
		if err := json.Unmarshal(signed, &in.Assertion); err != nil {
			t.Fatal(err)
		}
		// The proof that spares people the comparison is used up by the first answer.
		spent, err := in.Assertion.Decode()
		if err != nil {
			t.Fatal(err)
		}
		if err := h.m.serving(testLine).client().SendPasskeyResponse(testwait.Context(t), webAuthn(spent)); err != nil {
			t.Fatal(err)
		}
		if err := h.answer(t, signed); err != nil {
			t.Fatal(err)
		}
		code, err := l.key.AwaitCode(testwait.Context(t))
		if err != nil {
			t.Fatal(err)
		}
		h.shownOnSocket(t, "the code", func(s crm.PasskeyStep) bool { return s.Code != nil && *s.Code == code && s.Options == nil })
		h.awaitEvent(t, crm.EventMessengerStatus, func(item string) bool {
			return strings.Contains(item, `"state":"passkey"`) && strings.Contains(item, detailPasskeyCode)
		})
		var e *crm.Error
		if err := h.confirm(t, "AAAA-AAAA"); !errors.As(err, &e) || e.Fields["code"] == "" {
			t.Errorf("a wrong code: %v", err)
		}
		if err := h.confirm(t, strings.ToLower(strings.ReplaceAll(code, "-", ""))); err != nil {
			t.Fatal(err)
		}
		if err := <-l.done; err != nil {
			t.Fatal(err)
		}
		h.awaitState(t, crm.StateConnected)
	})
}

// TestPasskeyEnds checks that a pairing that ends at the passkey says why, also to those
// TestPasskeyUnanswered checks that a pairing whose next phase begins before WhatsApp has
// answered to the passkey goes on, and that the passkey counts as accepted.
func TestPasskeyUnanswered(t *testing.T) {
	eachHarness(t, func(t *testing.T, h *harness) {
		l, o := h.scan(t, whatsapptest.PasskeyOptions{Silent: true})
		if err := h.sign(t, l, whatsapptest.Signing{Challenge: o.Challenge}); err != nil {
			t.Errorf("the passkey was not accepted: %v", err)
		}
		h.awaitItem(t, crm.EventMessengerStatus, `"state":"connected"`)
	})
}

// who come too late, and that another one can begin.
func TestPasskeyEnds(t *testing.T) {
	for name, c := range map[string]struct {
		how    whatsapptest.PasskeyOptions
		end    func(t *testing.T, h *harness, l *linking, o *crm.PasskeyOptions)
		detail string
		asked  bool
	}{
		"too late": {whatsapptest.PasskeyOptions{Timeout: time.Millisecond}, nil, detailPasskeyLate, true},
		"cancelled": {whatsapptest.PasskeyOptions{}, func(t *testing.T, h *harness, _ *linking, _ *crm.PasskeyOptions) {
			if err := h.CancelPasskey(t.Context(), h.Owner, testLine); err != nil {
				t.Error(err)
			}
		}, detailPasskeyCancelled, true},
		"refused": {whatsapptest.PasskeyOptions{}, func(t *testing.T, h *harness, l *linking, o *crm.PasskeyOptions) {
			forged := string(l.key.Sign(whatsapptest.Signing{Challenge: o.Challenge}))
			at := strings.Index(forged, `"signature":"`) + len(`"signature":"`) + 20
			forged = forged[:at] + strings.Map(func(r rune) rune { return map[bool]rune{true: 'B', false: 'A'}[r == 'A'] }, forged[at:at+4]) + forged[at+4:]
			wantConflict(t, "a forged signature", h.answer(t, []byte(forged)), "did not accept")
		}, detailPasskeyRefused, true},
		"the connection is cut": {whatsapptest.PasskeyOptions{}, func(t *testing.T, h *harness, _ *linking, _ *crm.PasskeyOptions) {
			h.wa.DropUnpaired()
		}, detailPasskeyLost, true},
		"options that cannot be read":        {whatsapptest.PasskeyOptions{Garbled: true}, nil, detailPasskeyUnknown, false},
		"options that no page of theirs has": {whatsapptest.PasskeyOptions{Site: "example.com"}, nil, detailPasskeyUnknown, false},
	} {
		t.Run(name, func(t *testing.T) {
			eachHarness(t, func(t *testing.T, h *harness) {
				l := h.scanned(t, h.shop, testLine, c.how)
				challenge := "aGk"
				if c.asked {
					o := h.passkeyShown(t)
					challenge = o.Challenge
					if c.end != nil {
						c.end(t, h, l, o)
					}
				}
				h.awaitItem(t, crm.EventMessengerStatus, `"state":"disconnected"`, c.detail+" Nothing was paired.")
				if err := <-l.done; err == nil || h.shop.Devices() != 0 {
					t.Errorf("%d devices are linked, %v", h.shop.Devices(), err)
				}
				eventually(t, "it is served still", func() bool { return h.m.serving(testLine) == nil })
				if c.asked {
					wantConflict(t, "an answer that comes too late", h.sign(t, l, whatsapptest.Signing{Challenge: challenge}), strings.TrimSuffix(c.detail, "."))
				}
				wantConflict(t, "an answer to something else", h.sign(t, l, whatsapptest.Signing{Challenge: "AAAA"}), "no pairing")
				if name == "too late" { // the next one has the usual time
					h.stop()
					h.m, h.stop = h.node(t, h.Service)
					h.Service.Messengers[Type] = h.m
				}
				l, o := h.scan(t, whatsapptest.PasskeyOptions{})
				if err := h.sign(t, l, whatsapptest.Signing{Challenge: o.Challenge}); err != nil {
					t.Fatal(err)
				}
				if err := <-l.done; err != nil {
					t.Fatal(err)
				}
				h.awaitState(t, crm.StateConnected)
			}, func(o *Options) {
				if name == "too late" { // long enough to store and to show it, on a slow machine too
					o.times.passkey = 5 * time.Second
				}
			})
		})
	}
}

// passkeyShown waits for the options on the owners' channel, which are there even when
// their time is over soon.
func (h *harness) passkeyShown(t *testing.T) *crm.PasskeyOptions {
	t.Helper()
	return h.shownOnSocket(t, "the options", func(s crm.PasskeyStep) bool { return s.Options != nil }).Passkey.Options
}

// TestInterruptedPairing checks that a line whose process was killed while it paired does
// not say for ever that a phone or a passkey is waited for.
func TestInterruptedPairing(t *testing.T) {
	for _, state := range []string{crm.StatePairing, crm.StatePasskey} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			testdb.Each(t, func(t *testing.T, store *models.Store) {
				harnessIn(t, store, func(t *testing.T, h *harness) {
					h.stop()
					if mine, err := h.Lease(t.Context(), testLine, "the killed process", time.Hour); err != nil || !mine {
						t.Fatal(mine, err)
					}
					if err := h.SetLineState(t.Context(), testLine, crm.LineState{State: state}); err != nil {
						t.Fatal(err)
					}
					h.m, h.stop = h.node(t, h.Service, func(o *Options) { o.Alone = true })
					h.Service.Messengers[Type] = h.m
					h.awaitItem(t, crm.EventMessengerStatus, `"state":"disconnected"`, detailInterrupted)
					h.pair(t)
				})
			})
		})
	}
}
