package access_test

import (
	"strings"
	"testing"

	"chatcast/models/testdb"
)

// multiwaRoutes are the routes of MultiWA, and who may use them.
var multiwaRoutes = []dialectRoute{
	{"POST /messages/text", `{"profileId":"{profile}","to":"{chat}","text":"x"}`, "send", 201, "", ""},
	{"POST /messages/image", `{"profileId":"{profile}","to":"{chat}","url":"https://files.example/x.png"}`, "send", 201, "", ""},
	{"POST /messages/video", `{"profileId":"{profile}","to":"{chat}","url":"https://files.example/x.mp4"}`, "send", 201, "", ""},
	{"POST /messages/audio", `{"profileId":"{profile}","to":"{chat}","base64":"SUQzAwAAAAAAIQ=="}`, "send", 201, "", ""},
	{"POST /messages/document", `{"profileId":"{profile}","to":"{chat}","base64":"JVBERi0xLjcK","filename":"x.pdf"}`, "send", 201, "", ""},
	{"POST /messages/location", `{"profileId":"{profile}","to":"{chat}","latitude":1,"longitude":1}`, "send", 201, "", ""},
	{"POST /messages/contact", `{"profileId":"{profile}","to":"{chat}","contacts":[{"name":"x","phone":"351912000002"}]}`, "send", 201, "", ""},
	{"POST /messages/poll", `{"profileId":"{profile}","to":"{chat}","question":"x","options":["a","b"]}`, "send", 201, "", ""},
	{"POST /messages/reaction", `{"profileId":"{profile}","messageId":"{said}","emoji":"👍"}`, "send", 201, "", ""},
	{"POST /messages/reply", `{"profileId":"{profile}","quotedMessageId":"{said}","text":"x"}`, "send", 201, "", ""},
	{"POST /messages/typing", `{"profileId":"{profile}","to":"{chat}","state":"typing"}`, "send", 201, "", ""},
	{"POST /messages/mark-read", `{"profileId":"{profile}","chatId":"{chat}"}`, "read+send", 201, "", ""},
	{"POST /messages/delete-for-everyone", `{"profileId":"{profile}","chatId":"{chat}","messageId":"{sent}"}`, "read+send", 201, "", ""},
	{"GET /messages/profile/{profile}", "", "read", 200, "", ""},
	{"GET /messages/conversation/{chat}?profileId={profile}", "", "read", 200, "", ""},
	{"GET /conversations?profileId={profile}", "", "read", 200, "", ""},
	{"GET /conversations/{chat}?profileId={profile}", "", "read", 200, "", ""},
	{"GET /contacts?profileId={profile}", "", "read", 200, "", ""},
	{"GET /contacts/{chat}?profileId={profile}", "", "read", 200, "", ""},
	{"POST /contacts", `{"profileId":"{profile}","phone":"351912000003","name":"x"}`, "read+send", 201, "", ""},
	{"PUT /contacts/{chat}", `{"profileId":"{profile}","name":"x"}`, "read+send", 200, "", ""},
	{"POST /contacts/validate", `{"profileId":"{profile}","phones":["351912000001"]}`, "read+send", 201, "", account},
	{"POST /profiles", `{"name":"new"}`, "manage", 201, "company", ""},
	{"POST /profiles", `{"name":"new","webhookUrl":"{hooks}"}`, "manage+read", 201, "company", ""},
	{"GET /profiles", "", "", 200, "list", ""},
	{"GET /profiles/{profile}", "", "read|manage", 200, "", ""},
	{"PUT /profiles/{profile}", `{"name":"other"}`, "manage", 200, "", ""},
	{"DELETE /profiles/{profile}", "", "manage", 200, "", ""},
	{"POST /profiles/{profile}/connect", "", "manage", 201, "", account},
	{"POST /profiles/{profile}/disconnect", "", "manage", 201, "", account},
	{"GET /profiles/{profile}/qr", "", "manage", 404, "", account},
	{"GET /accounts/any/profiles/{profile}/qr", "", "manage", 404, "", account},
	{"GET /profiles/{profile}/status", "", "read|manage", 200, "", ""},
	{"POST /profiles/{profile}/webhook", `{"url":"{hooks}"}`, "manage+read", 201, "", ""},
	{"GET /groups/profile/{profile}", "", "read", 200, "", account},
	{"POST /groups", `{"profileId":"{profile}","name":"x","participants":["351912000002"]}`, "read+send", 201, "", account},
	{"GET /groups/{group}?profileId={profile}", "", "read", 200, "", account},
	{"PATCH /groups/{group}", `{"profileId":"{profile}","name":"x"}`, "read+send", 200, "", account},
	{"POST /groups/{group}/leave?profileId={profile}", "", "manage", 201, "", account},
	{"GET /groups/{group}/invite-link?profileId={profile}", "", "read+send", 200, "", account},
	{"POST /groups/{group}/invite-link/revoke?profileId={profile}", "", "manage", 201, "", account},
	{"POST /groups/{group}/participants/add", `{"profileId":"{profile}","participants":["351912000002"]}`, "read+send", 201, "", account},
	{"POST /groups/{group}/participants/remove", `{"profileId":"{profile}","participants":["351912000002"]}`, "read+send", 201, "", account},
	{"POST /groups/{group}/participants/promote", `{"profileId":"{profile}","participants":["351912000002"]}`, "manage", 201, "", account},
	{"POST /groups/{group}/participants/demote", `{"profileId":"{profile}","participants":["351912000002"]}`, "manage", 201, "", account},
	{"POST /webhooks", `{"profileId":"{profile}","url":"{hooks}","events":["*"]}`, "manage+read", 201, "", ""},
	{"GET /webhooks?profileId={profile}", "", "manage+read", 200, "", ""},
	{"PUT /webhooks/{hook}", `{"enabled":false}`, "manage+read", 200, "", ""},
	{"DELETE /webhooks/{hook}", "", "manage+read", 200, "", ""},
	{"POST /webhooks/{hook}/test", "", "manage+read", 201, "", ""},
}

// TestMultiWA tries each route of MultiWA with keys of each right, of the company, of the line, of
// another line and of another company, with one that was revoked, with a person's token, and with
// none. What is refused changes nothing.
func TestMultiWA(t *testing.T) {
	for _, database := range []string{"SQLite", "PostgreSQL"} {
		t.Run(database, func(t *testing.T) {
			url := ""
			if database == "PostgreSQL" {
				url = testdb.PostgresURL(t)
			}
			w := newDialectWorld(t, url)
			profiles := map[string]string{"": w.instance(lineOf(line)).ID, account: w.instance(lineOf(account)).ID}
			hook := w.endpoint()
			w.saved = takeSnapshot(t, w.p.Components().Store)
			x := &dialect{world: w, header: "x-api-key", lineKeys: 403, fill: func(d *dialectRoute) *strings.Replacer {
				return strings.NewReplacer("{profile}", profiles[d.on], "{chat}", "79990000001", "{said}", "false_79990000001@c.us_alpha-1", "{sent}", "true_79990000001@c.us_alpha-2",
					"{group}", groupIDs[alpha], "{hooks}", w.hooks, "{hook}", hook)
			}, strange: `{"success":false,"statusCode":401,"message":"Invalid API key","error":{"code":"UNAUTHORIZED","message":"Invalid API key"}}`}
			x.complete(multiwaRoutes, func(method, path string) (string, bool) {
				rest, ok := strings.CutPrefix(path, "/api/v1")
				return method + " " + strings.Replace(rest, ":account", "any", 1), ok && rest != "/health"
			})
			everybody := w.dialectCallers()
			for i := range multiwaRoutes {
				x.row(&multiwaRoutes[i], "/api/v1", everybody)
				x.row(&multiwaRoutes[i], "/api", w.named("company, all rights", "company, only inbound", "strange key", "nobody"))
			}
			for key, sees := range map[string][2]bool{"company, only read": {true, true}, line + ", only read": {true, false}, "strange key": {}, "company, only send": {}} {
				got := x.try(&dialectRoute{request: "GET /profiles"}, w.named(key)[0], "/api/v1")
				if has := strings.Contains(got.body, profiles[""]); has != sees[0] {
					t.Errorf("%s sees of the bridge: %s", key, got)
				}
				if has := strings.Contains(got.body, profiles[account]); has != sees[1] {
					t.Errorf("%s sees of the line with an account: %s", key, got)
				}
			}
			t.Logf("%d cells", x.cells)
		})
	}
}
