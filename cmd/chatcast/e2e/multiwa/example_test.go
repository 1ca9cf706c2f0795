// Package multiwa drives the dialect of MultiWA with real clients, against the whole program
// and the stand-in WhatsApp.
package multiwa

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/crm"
)

// shop is a program with a key of a line of the stand-in.
type shop struct {
	*e2e.Phones
	t       *testing.T
	p       *e2e.Running
	key     string
	profile string
}

// open starts the program and makes a key for its WhatsApp line.
func open(t *testing.T) *shop {
	t.Helper()
	cfg := e2e.Config(t)
	s := &shop{t: t, Phones: e2e.StartPhones(t, &cfg)}
	s.p = e2e.Start(t, cfg)
	owner, err := s.p.Components().Rules.Authenticate(t.Context(), s.p.SignIn(t).Token)
	if err != nil {
		t.Fatal(err)
	}
	made, err := s.p.Components().Rules.CreateKey(t.Context(), owner, crm.KeyInput{
		Name: "MultiWA", LicenseID: 1229, Messenger: "grWhatsApp", Rights: []string{crm.KeyRead, crm.KeySend, crm.KeyManage},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.key = made.Key
	v, ok := s.p.Components().Rules.InstanceDirectory().Of(crm.Line{LicenseID: 1229, Messenger: "grWhatsApp"})
	if !ok {
		t.Fatal("the line has no instance")
	}
	s.profile = v.ID
	return s
}

// call calls a route of the dialect, which must succeed, and reads its answer into out.
func (s *shop) call(method, path, body string, out any) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.p.Base+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("x-api-key", s.key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var answer json.RawMessage
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || res.StatusCode >= 300 {
		s.t.Fatalf("%s %s: %d %s %v", method, path, res.StatusCode, answer, err)
	}
	if out != nil {
		if err := json.Unmarshal(answer, out); err != nil {
			s.t.Fatalf("%s %s: %v in %s", method, path, err, answer)
		}
	}
}

// pair pairs the profile with the account, by the routes of the dialect.
func (s *shop) pair() {
	s.t.Helper()
	var began struct{ Status string }
	s.call("POST", "/profiles/"+s.profile+"/connect", "", &began)
	if began.Status != "connecting" {
		s.t.Errorf("connect answers %s", began.Status)
	}
	code, err := s.p.Components().Rules.Pair(s.t.Context(), s.owner(), crm.Line{LicenseID: 1229, Messenger: "grWhatsApp"}, nil)
	if err != nil || code.QR == nil {
		s.t.Fatalf("no code: %v", err)
	}
	var shown struct{ QR string }
	s.call("GET", "/profiles/"+s.profile+"/qr", "", &shown)
	if !strings.HasPrefix(shown.QR, "data:image/png;base64,") {
		s.t.Errorf("the picture is %.50s", shown.QR)
	}
	if _, err := s.Shop.ScanQR(s.t.Context(), *code.QR); err != nil {
		s.t.Fatal(err)
	}
	s.await("connected")
}

func (s *shop) owner() crm.Actor {
	s.t.Helper()
	owner, err := s.p.Components().Rules.Authenticate(s.t.Context(), s.p.SignIn(s.t).Token)
	if err != nil {
		s.t.Fatal(err)
	}
	return owner
}

// await waits for a status of the profile.
func (s *shop) await(status string) {
	s.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var now struct{ Status, Phone string }
	for end := time.Now().Add(testwait.Long); now.Status != status; <-tick.C {
		if time.Now().After(end) {
			s.t.Fatalf("the profile is %s, want %s", now.Status, status)
		}
		s.call("GET", "/profiles/"+s.profile+"/status", "", &now)
	}
}

// wanted checks one line that the example has logged.
type wanted struct{ begins, has string }

func (w wanted) in(line string) bool {
	return strings.HasPrefix(line, w.begins) && strings.Contains(line, w.has)
}

func (s *shop) example() []wanted {
	return []wanted{
		{`["Connected"]`, ""},
		{`["Ack:",{"message":"Connected to MultiWA WebSocket API","clientId":"c_`, `"timestamp":"20`},
		{`["Ack:",{"action":"subscribed","profileId":"` + s.profile + `","events":["message.received","session.status"]}]`, ""},
		{`["Event:","session.status",{"status":"qr"`, ""},
		{`["Event:","session.status",{"status":"connected","phone":"79990001122"}`, ""},
		{`["Event:","message.received",{"id":"false_79995554433@c.us_`, `"from":"79995554433@c.us","to":"79990001122@c.us","body":"Do you have tea?","type":"chat"`},
	}
}

// TestExample runs the client example of MultiWA's documentation, unchanged, with npm's ws and
// in Chromium, while the profile is paired, gets a message and sends one.
func TestExample(t *testing.T) {
	s := open(t)
	node := e2e.StartNode(t, "multiwa.cjs", s.p.Base, s.key, s.profile)
	source, err := os.ReadFile("../testdata/browser/multiwa.js")
	if err != nil {
		t.Fatal(err)
	}
	tab := e2e.OpenPage(t, "multiwa.html", map[string]string{
		"Example": string(source), "Address": strings.TrimPrefix(s.p.Base, "http://"), "Key": s.key, "Profile": s.profile,
	})
	tab.Sees("Ack:", `"subscribed"`)
	var lines []string
	read := func(until wanted) {
		t.Helper()
		for timeout := time.After(testwait.Long); ; {
			select {
			case line, open := <-node.Lines:
				if lines = append(lines, line); !open {
					t.Fatalf("the example has ended; it logged\n%s", strings.Join(lines, "\n"))
				}
				if until.in(line) {
					return
				}
			case <-timeout:
				t.Fatalf("no %+v; the example logged\n%s", until, strings.Join(lines, "\n"))
			}
		}
	}
	all := s.example()
	read(all[2])
	s.pair()
	read(all[4])
	s.Anna.SendText(s.Shop, "Do you have tea?")
	read(all[5])
	s.check("ws", lines)
	tab.Sees("Event:", "Do you have tea?")
	var inPage []string
	for _, l := range tab.Logs() {
		inPage = append(inPage, string(l))
	}
	s.check("Chromium", inPage)

	var sent struct{ WAMessageID, Status string }
	s.call("POST", "/messages/text", `{"to":"79995554433","text":"We do"}`, &sent)
	got, err := s.Anna.AwaitText(t.Context(), "We do")
	if err != nil || sent.WAMessageID != "true_79995554433@c.us_"+got.ID {
		t.Errorf("sent %+v, arrived %+v, %v", sent, got, err)
	}
	s.call("POST", "/messages/mark-read", `{"chatId":"79995554433@c.us"}`, nil)
	s.call("POST", "/messages/typing", `{"to":"79995554433@c.us","state":"composing"}`, nil)
	var checked []struct {
		Exists bool
		WaID   string
	}
	s.call("POST", "/contacts/validate", `{"phones":["79995554433","79990000000"]}`, &checked)
	if fmt.Sprint(checked) != "[{true 79995554433@c.us} {false }]" {
		t.Errorf("the numbers are %v", checked)
	}
	s.groups()
	var ended struct{ Status string }
	s.call("POST", "/profiles/"+s.profile+"/disconnect", "", &ended)
	s.await("disconnected")
	read(wanted{`["Event:","session.status",{"status":"disconnected"`, `"reason":"logged_out"`})
}

// check checks that what the example has logged is what it should, in this order.
func (s *shop) check(who string, lines []string) {
	s.t.Helper()
	for _, w := range s.example() {
		i := slices.IndexFunc(lines, w.in)
		if i < 0 {
			s.t.Errorf("%s has not logged %+v after what was before; there is\n%s", who, w, strings.Join(lines, "\n"))
			return
		}
		lines = lines[i+1:]
	}
}

// groups makes a group and changes it, by the routes of the dialect.
func (s *shop) groups() {
	s.t.Helper()
	var made struct {
		ID           string
		Participants []struct{ ID string }
		Data         struct{ Name string }
	}
	s.call("POST", "/groups", `{"name":"Tea","participants":["79995554433"],"description":"Friends of tea"}`, &made)
	if !strings.HasSuffix(made.ID, "@g.us") || len(made.Participants) != 2 || made.Data.Name != "Tea" {
		s.t.Errorf("the group is %+v", made)
	}
	var group struct{ Name, Description string }
	s.call("PATCH", "/groups/"+made.ID, `{"name":"Green tea"}`, &group)
	s.call("GET", "/groups/"+made.ID+"?profileId="+s.profile, "", &group)
	if group.Name != "Green tea" || group.Description != "Friends of tea" {
		s.t.Errorf("the group is now %+v", group)
	}
	var list []struct {
		ID                string
		ParticipantsCount int
	}
	s.call("GET", "/groups/profile/"+s.profile, "", &list)
	if len(list) != 1 || list[0].ID != made.ID || list[0].ParticipantsCount != 2 {
		s.t.Errorf("the groups are %+v", list)
	}
	s.call("POST", "/groups/"+made.ID+"/participants/promote", `{"participants":["79995554433@c.us"]}`, nil)
	s.call("POST", "/groups/"+made.ID+"/participants/demote", `{"participants":["79995554433@c.us"]}`, nil)
	var link, other struct{ Link string }
	s.call("GET", "/groups/"+made.ID+"/invite-link", "", &link)
	s.call("POST", "/groups/"+made.ID+"/invite-link/revoke", "", &other)
	if !strings.HasPrefix(link.Link, "https://chat.whatsapp.com/") || link == other {
		s.t.Errorf("the links are %+v and %+v", link, other)
	}
	s.call("POST", "/groups/"+made.ID+"/participants/remove", `{"participants":["79995554433@c.us"]}`, nil)
	s.call("POST", "/groups/"+made.ID+"/leave", "", nil)
}
