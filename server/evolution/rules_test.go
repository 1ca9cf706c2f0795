package evolution_test

import (
	"net/http"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
)

// TestKeys asks with every kind of key: a stranger learns nothing, not even a name.
func TestKeys(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const state = "GET /instance/connectionState/"
		open := `{"instance":{"instanceName":"shop","state":"open"}}`
		missing := func(name string) string {
			return `{"status":404,"error":"Not Found","response":{"message":["The \"` + name + `\" instance does not exist"]}}`
		}
		w.want(w.company, state+shop, "", 200, open)
		w.want(w.line, state+shop, "", 200, open)
		w.want("", state+shop, "", 401, unauthorizedText)
		w.want("wrong", state+shop, "", 401, unauthorizedText)
		w.want("", state+"nowhere", "", 401, unauthorizedText)
		w.want(w.strange, state+shop, "", 404, missing(shop))
		w.want(w.strange, state+"nowhere", "", 404, missing("nowhere"))
		w.want(w.line, state+"1230-grWhatsApp", "", 404, missing("1230-grWhatsApp"))
		w.want(w.company, state+"1230-grWhatsApp", "", 200, `{"instance":{"instanceName":"1230-grWhatsApp","state":"open"}}`)
		w.want(w.company, state+"1229-telegram", "", 404, missing("1229-telegram"))
		w.want(w.Token(w.Owner), state+shop, "", 401, unauthorizedText)
		w.want("", state+shop, "", 200, open, "Authorization: Bearer "+w.company)
		w.want("", state+shop+"?apikey="+w.company, "", 401, unauthorizedText)
		w.want(w.line, "POST /instance/create", `{"instanceName":"x"}`, 401, unauthorizedText)
		w.want(w.line, "POST /verify-creds", "", 401, unauthorizedText)
		w.want(w.company, "POST /verify-creds", "", 200, `{"status":200,"message":"Credentials are valid"}`)

		reader := w.key(w.Owner, crm.KeyInput{Name: "reader", Rights: []string{crm.KeyRead}})
		w.want(reader, state+shop, "", 200, open)
		w.want(reader, "POST /message/sendText/"+shop, `{"number":"79990001122","text":"a"}`, 403,
			`{"status":403,"error":"Forbidden","response":{"message":["this key does not have the right send"]}}`)
		w.want(reader, "DELETE /instance/delete/"+shop, "", 403, `{"status":403,"error":"Forbidden","response":{"message":["this key does not have the right manage"]}}`)
		sender := w.key(w.Owner, crm.KeyInput{Name: "sender", Rights: []string{crm.KeySend}, LicenseID: crmtest.LicenseID, Messenger: "grWhatsApp"})
		if status, answer, _ := w.request(sender, "POST /message/sendText/"+shop, `{"number":"79990001122","text":"a"}`); status != 201 {
			t.Errorf("a key that may send: %d %s", status, answer)
		}
	})
}

// TestNamesInPaths asks for instances with every kind of name.
func TestNamesInPaths(t *testing.T) {
	w := onSQLite(t)
	for _, name := range []string{"my shop 1", "a.b_c@d-e", "A"} {
		if _, err := w.ChangeInstance(t.Context(), w.Owner, "1230-grWhatsApp", crm.InstanceChanges{Name: crm.Value(name)}); err != nil {
			t.Fatal(err)
		}
		escaped := strings.ReplaceAll(name, " ", "%20")
		w.want(w.company, "GET /instance/connectionState/"+escaped, "", 200, `{"instance":{"instanceName":"`+name+`","state":"open"}}`)
		if _, err := w.ChangeInstance(t.Context(), w.Owner, name, crm.InstanceChanges{Name: crm.Value("1230-grWhatsApp")}); err != nil {
			t.Fatal(err)
		}
	}
	long := strings.Repeat("x", 1000)
	w.want(w.company, "GET /instance/connectionState/"+long, "", 404,
		`{"status":404,"error":"Not Found","response":{"message":["The \"`+long[:150]+`…\" instance does not exist"]}}`)
	w.want(w.company, "GET /instance/connectionState/..%00", "", 404, `{"status":404,"error":"Not Found","response":{"message":["The \"..\u0000\" instance does not exist"]}}`)
	w.want(w.company, "GET /instance/connectionState/a%2Fb", "", 404,
		`{"status":404,"error":"Not Found","response":{"message":["Cannot GET /instance/connectionState/a/b"]}}`)
}

// TestPaths asks at both places of the dialect, with and without a slash, and for what is not
// there.
func TestPaths(t *testing.T) {
	w := onSQLite(t)
	open := `{"instance":{"instanceName":"shop","state":"open"}}`
	for _, path := range []string{"/instance/connectionState/shop", "/instance/connectionState/shop/", "/whatsapp/instance/connectionState/shop", "/whatsapp/instance/connectionState/shop/"} {
		w.want(w.company, "GET "+path, "", 200, open)
	}
	cannot := func(what string) string {
		return `{"status":404,"error":"Not Found","response":{"message":["Cannot ` + what + `"]}}`
	}
	for _, request := range []string{
		"POST /message/sendFax/shop", "GET /message/sendText/shop", "POST /instance//create", "DELETE /whatsapp/message/sendText/shop", "GET /whatsapp/nothing",
		"GET /instance/connectionState/shop//", "GET /chatwoot", "POST /instance/refreshToken", "PUT /instance/refreshToken", "POST /instance/registerMobileCode", "DELETE /instance/deleteDatabase/shop",
		"GET /chat/fetchContactsWithLastMessage/shop",
		"POST //message/sendText/shop", "GET //instance/fetchInstances", "GET ///chat/findChats/shop", "POST /whatsapp//message/sendText/shop",
	} {
		w.want(w.company, request, "", 404, cannot(request))
	}
	if status, answer, _ := w.request(w.company, "GET /v1/nowhere", ""); status != 404 || answer != "not of the dialect" {
		t.Errorf("another dialect's path is answered with %d %s", status, answer)
	}
	hello := `{"status":200,"message":"Welcome to the Evolution API, it is working!","version":"2.3.7","clientName":"chatcast","manager":"https://chat.example/","documentation":"https://chat.example/openapi/evolution.yaml"}`
	w.want("", "GET /whatsapp/", "", 200, hello)
	w.want("", "GET /whatsapp", "", 200, hello)
	w.want("", "GET /", "", 200, hello, "Accept: application/json")
	if status, answer, _ := w.request("", "GET /", "", "Accept: text/html,*/*"); status != 200 || answer != "the page" {
		t.Errorf("a browser gets %d %s", status, answer)
	}
	status, _, h := w.request("", "OPTIONS /message/sendText/shop", "", "Origin: https://page.example", "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: apikey")
	if status != http.StatusNoContent || h.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(h.Get("Access-Control-Allow-Headers"), "apikey") {
		t.Errorf("a preflight gets %d %v", status, h)
	}
	// A HEAD changes nothing.
	if status, _, _ := w.request(w.company, "HEAD /instance/connect/shop", ""); status != http.StatusMethodNotAllowed {
		t.Errorf("HEAD of connect gets %d", status)
	}
}
