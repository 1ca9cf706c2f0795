package evolution_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/server/evolution"
)

// bodiesOfRoutes returns a body with all fields for each route that reads one.
func bodiesOfRoutes(t *testing.T) map[string]string {
	t.Helper()
	bodies := map[string]string{}
	for _, rt := range evolution.RoutesWithFields() {
		fields := map[string]json.RawMessage{}
		for name, value := range rt.Fields {
			fields[name] = json.RawMessage(value)
		}
		text, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		bodies[rt.Method+" "+rt.Path] = string(text)
	}
	return bodies
}

// TestNobodyElse tries every route without a key, and with keys of another line and of another
// company: to them there is no such instance.
func TestNobodyElse(t *testing.T) {
	w := onSQLite(t)
	made, err := w.CreateInstance(t.Context(), w.Owner, crm.InstanceInput{Name: "other"})
	if err != nil {
		t.Fatal(err)
	}
	bodies := bodiesOfRoutes(t)
	const absent = `{"status":404,"error":"Not Found","response":{"message":["The \"shop\" instance does not exist"]}}`
	for _, route := range evolution.Routes() {
		request := strings.Replace(route, ":instance", shop, 1)
		w.want("", request, bodies[route], 401, unauthorizedText)
		w.want("cck_guessed_by_somebody", request, bodies[route], 401, unauthorizedText)
		if !strings.Contains(route, ":instance") {
			continue
		}
		w.want(w.strange, request, bodies[route], 404, absent)
		w.want(made.Key, request, bodies[route], 404, absent)
	}
}

// TestLesserKeys tries every route with keys that have one right: what succeeds is listed.
func TestLesserKeys(t *testing.T) {
	w := onSQLite(t)
	bodies := bodiesOfRoutes(t)
	everybody := []string{"GET /settings/find/", "GET /websocket/find/"}
	for right, may := range map[string][]string{
		crm.KeyRead: {"POST /chat/findMessages/", "POST /chat/findStatusMessage/", "GET /chat/findChats/", "POST /chat/findChats/", "POST /chat/findContacts/", "GET /label/findLabels/"},
		crm.KeySend: {}, crm.KeyInbound: {}, crm.KeyManage: {"POST /settings/set/", "POST /websocket/set/"},
	} {
		key := w.key(w.Owner, crm.KeyInput{Name: "less", Rights: []string{right}, LicenseID: crmtest.LicenseID, Messenger: "grWhatsApp"})
		may = append(may, everybody...)
		for _, route := range evolution.Routes() {
			path := strings.Fields(route)[1]
			switch { // what this server does not have tells nothing, and instances are elsewhere
			case strings.HasSuffix(path, "/find/:instance") && !slices.Contains([]string{"/settings/find/:instance", "/websocket/find/:instance", "/webhook/find/:instance", "/proxy/find/:instance"}, path),
				strings.HasPrefix(path, "/instance/"), path == "/chat/whatsappNumbers/:instance":
				continue
			}
			status, answer, _ := w.request(key, strings.Replace(route, ":instance", shop, 1), bodies[route])
			wanted := slices.ContainsFunc(may, func(begin string) bool { return strings.HasPrefix(route, begin) })
			if done := status < 300; done != wanted {
				t.Errorf("%s: %s is answered %d %.200s", right, route, status, answer)
			}
		}
	}
}

// TestPicturesAreFetchedForWhoMay names pictures by an address with keys that may not set them:
// nothing is asked there, so the answer is the same for each address.
func TestPicturesAreFetchedForWhoMay(t *testing.T) {
	w := onSQLite(t)
	key := w.key(w.Owner, crm.KeyInput{Name: "less", Rights: []string{crm.KeyRead, crm.KeyInbound}, LicenseID: crmtest.LicenseID, Messenger: "grWhatsApp"})
	for request, body := range map[string]string{
		"POST /chat/updateProfilePicture/shop": `{"picture":"http://127.0.0.1:1/x"}`,
		"POST /group/updateGroupPicture/shop":  `{"groupJid":"120363000000000001@g.us","image":"http://127.0.0.1:1/x"}`,
		"POST /group/create/shop":              `{"subject":"x","participants":["351912000001"],"profilePicture":"http://127.0.0.1:1/x"}`,
	} {
		if status, answer, _ := w.request(key, request, body); status != 403 || !strings.Contains(answer, "does not have the right") {
			t.Errorf("%s is answered %d %s", request, status, answer)
		}
	}
}
