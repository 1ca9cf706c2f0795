package api_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/models"
	"chatcast/models/testdb"
	"chatcast/server/api/apitest"
)

// lastEntry returns the newest entry of the audit logs of all companies.
func (w *walker) lastEntry() (id int64) {
	w.t.Helper()
	tx := w.Store.Read(context.Background())
	companies, err := tx.Companies(0)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, c := range companies {
		list, err := tx.AuditEntries(models.AuditFilter{CompanyID: c.ID}, 1)
		if err != nil {
			w.t.Fatal(err)
		}
		if len(list) > 0 {
			id = max(id, list[0].ID)
		}
	}
	return id
}

const (
	lineRoute = "/v1/licenses/{licenseId}/messengers/{messengerType}"
	chatRoute = lineRoute + "/chats/{chatId}"
)

// everyday lists the operations that change something and leave no entry in the audit
// log, and why. A * stands for every method. Every other operation must leave one.
var everyday = map[string]string{
	"/v1/tokens/refresh POST":                                  "a session goes on; a token that comes a second time is in the log",
	"/v1/me/totp POST":                                         "the secret is in force when a code confirms it, which is in the log",
	"/v1/events/tickets POST":                                  "a ticket for a stream of the same session, whose beginning is in the log",
	"/v1/events/stream GET":                                    "a stream opens, and uses up its ticket",
	"/v1/invitations/open POST":                                "it reads an invitation; accepting it is in the log",
	"/v1/companies/{companyId}/employees/{userId}/workday PUT": "people begin and end their work; the journal has it",

	"/v1/tags *":                                   "catalogues of names and colours",
	"/v1/tags/{id} *":                              "the same",
	"/v1/tags/categories *":                        "the same",
	"/v1/tags/categories/{id} *":                   "the same",
	"/v1/levels *":                                 "the same",
	"/v1/levels/{id} *":                            "the same",
	"/v1/quickResponseLists *":                     "prepared answers, and who may use them; the journal has it",
	"/v1/quickResponseLists/{id} *":                "the same",
	"/v1/quickResponseLists/{id}/quickResponses *": "the same",
	"/v1/quickResponseLists/{id}/quickResponses/{responseId} *": "the same",

	lineRoute + "/inbound POST":                "what customers write; the history has it",
	lineRoute + "/chats POST":                  "a chat begins; the history has it",
	chatRoute + "/read PATCH":                  "work on a chat; the journal has it",
	chatRoute + "/status PUT":                  "the same",
	chatRoute + "/responsible PUT":             "the same",
	chatRoute + "/responsible/pin PUT":         "the same",
	chatRoute + "/producer PUT":                "the same",
	chatRoute + "/level PUT":                   "the same",
	chatRoute + "/state PATCH":                 "the same",
	lineRoute + "/presence PUT":                "a signal that nothing keeps",
	chatRoute + "/process PUT":                 "the same",
	chatRoute + "/tags POST":                   "the same",
	chatRoute + "/tags/{tagId} DELETE":         "the same",
	chatRoute + "/accomplices POST":            "the same",
	chatRoute + "/accomplices/{userId} DELETE": "the same",
	chatRoute + "/auditors POST":               "the same",
	chatRoute + "/auditors/{userId} DELETE":    "the same",
	chatRoute + "/typing POST":                 "a signal that nothing keeps",
	chatRoute + "/messages/text POST":          "a message; the history has it, with its author",
	chatRoute + "/messages/location POST":      "the same",
	chatRoute + "/messages/contact POST":       "the same",
	chatRoute + "/messages/poll POST":          "the same",
	chatRoute + "/messages/reaction POST":      "the same",
	chatRoute + "/messages/file POST":          "the same",
	chatRoute + "/messages/{messageId} PATCH":  "an edit; the journal has what the message said before",
}

// noPerson lists, likewise, the operations that a program or a socket calls, and no
// person. Other packages serve them.
var noPerson = map[string]string{
	"/app/{key}/{serverId}/{session}/xhr POST":                  "a fallback transport of sockets",
	"/app/{key}/{serverId}/{session}/xhr_send POST":             "the same",
	"/app/{key}/{serverId}/{session}/xhr_streaming POST":        "the same",
	"/pusher/app/{key}/{serverId}/{session}/xhr POST":           "the same",
	"/pusher/app/{key}/{serverId}/{session}/xhr_send POST":      "the same",
	"/pusher/app/{key}/{serverId}/{session}/xhr_streaming POST": "the same",
	"/apps/{appId}/events POST":                                 "a backend publishes, with an app's secret",
	"/apps/{appId}/batch_events POST":                           "the same",
	"/apps/{appId}/channels/{channelName}/events POST":          "the same",
	"/apps/{appId}/users/{userId}/terminate_connections POST":   "a backend ends the sockets of a user of its own",
	"/broadcasting/auth POST":                                   "it signs for a socket, and changes nothing that lasts",
	"/broadcasting/user-auth POST":                              "the same",
}

// changesByGET lists the operations that are a GET and change something.
var changesByGET = []string{
	"/v1/licenses/{licenseId}/messengers/{messengerType}/qr GET", // it begins a pairing
	"/v1/events/stream GET", // it uses up a ticket
}

// TestEveryChangeIsAudited calls every operation. One that may change something must
// leave an entry in the audit log when it succeeds, unless it is listed above. Each
// transaction begins again once, as after a deadlock: its first attempt leaves nothing.
func TestEveryChangeIsAudited(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWalker(t, store)
		store.Rehearse()
		w.everything()
		unused := map[string]bool{}
		for listed := range everyday {
			unused[listed] = true
		}
		for listed := range noPerson {
			unused[listed] = true
		}
		for _, op := range reference(t).Operations {
			name := op.String()
			if (op.Method == "GET" || op.Method == "HEAD") && !slices.Contains(changesByGET, name) {
				continue
			}
			if _, listed := listing(noPerson, op); listed != "" {
				delete(unused, listed)
				continue
			}
			if _, called := w.last[name]; !called {
				t.Errorf("%s was not called with success", name)
			}
			switch why, listed := listing(everyday, op); {
			case listed == "" && !w.told[name]:
				t.Errorf("%s leaves no entry in the audit log, and is not listed as everyday work", name)
			case listed != "" && why == "":
				t.Errorf("%s is listed without a reason", listed)
			case listed != "" && w.told[name]:
				t.Errorf("%s leaves an entry in the audit log, and is listed as everyday work", name)
			default:
				delete(unused, listed)
			}
		}
		for listed := range unused {
			t.Errorf("%q is listed, and there is no such operation", listed)
		}
	})
}

// listing returns the entry of the list for the operation, and its reason.
func listing(list map[string]string, op apitest.Operation) (why, listed string) {
	for _, name := range []string{op.String(), op.Path + " *"} {
		if why, ok := list[name]; ok {
			return why, name
		}
	}
	return "", ""
}

// TestAuditTellsFromWhere checks that the log has the client as the proxy names it, and
// who logged a line out.
func TestAuditTellsFromWhere(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := newWalker(t, store)
		headers := []string{"X-Forwarded-For", "10.0.0.1, 203.0.113.7", "User-Agent", "Browser\x01 1"}
		w.steps(
			step{w.Owner, "PATCH /v1/me", `{"name":"Olga"}`, 0, "", headers},
			step{w.Owner, "POST " + phoneLine + "/connect", "", 0, "", headers},
			step{w.Owner, "DELETE " + phoneLine + "/session", "", 0, "", headers},
			step{crm.Actor{}, "POST /v1/tokens", `{"email":"test@test.test","password":"wrong"}`, 403, "", headers},
		)
		if err := w.WriteFailures(t.Context()); err != nil {
			t.Fatal(err)
		}
		var page struct{ Items []crm.AuditEntry }
		if err := json.Unmarshal(w.as(t, w.Admin, "GET", "/v1/audit", "").Data, &page); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range page.Items {
			got = append(got, strings.Join([]string{e.Action, e.Actor.Type, e.Actor.Name, e.Address, e.UserAgent}, " "))
		}
		want := []string{
			"session.refused unknown  203.0.113.7 Browser 1",
			"line.loggedOut user test@test.test 203.0.113.7 Browser 1",
			"line.pairing user test@test.test 203.0.113.7 Browser 1",
			"account.renamed user test@test.test 203.0.113.7 Browser 1",
		}
		if !slices.Equal(got, want) {
			t.Errorf("the log says\n%q, want\n%q", got, want)
		}
	})
}

// TestAuditActionsAreDocumented compares the actions with those of openapi.yaml.
func TestAuditActionsAreDocumented(t *testing.T) {
	var documented []string
	for _, v := range reference(t).Doc.Components.Schemas["AuditAction"].Value.Enum {
		documented = append(documented, v.(string))
	}
	if !slices.Equal(documented, crm.AuditActions()) {
		t.Errorf("openapi.yaml has\n%v, want\n%v", documented, crm.AuditActions())
	}
}
