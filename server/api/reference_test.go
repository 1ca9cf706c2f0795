package api_test

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"chatcast/broadcasting/apps"
	"chatcast/crm"
	"chatcast/server"
	"chatcast/server/api"
	"chatcast/server/api/apitest"
)

func reference(t testing.TB) *apitest.Reference {
	t.Helper()
	ref, err := apitest.Load()
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// elsewhere lists the documented routes that other packages serve. A test in
// cmd/chatcast/e2e/program checks that the whole program serves exactly these.
var elsewhere = []string{
	"/ GET", "/ HEAD", "/app/{} GET", "/apps/{}/events POST",
	"/apps/{}/batch_events POST", "/apps/{}/channels GET", "/apps/{}/channels/{} GET", "/apps/{}/channels/{}/events GET", "/apps/{}/channels/{}/events POST",
	"/apps/{}/channels/{}/stats GET", "/apps/{}/channels/{}/users GET", "/apps/{}/users/{}/terminate_connections POST",
	"/assets/{} GET", "/assets/{} HEAD",
	"/broadcasting/auth GET", "/broadcasting/auth POST", "/broadcasting/user-auth GET", "/broadcasting/user-auth POST", "/console.json GET",
	"/docs GET", "/docs HEAD", "/docs/docs.css GET", "/docs/docs.css HEAD", "/docs/docs.js GET", "/docs/docs.js HEAD", "/healthz GET", "/lib/{} GET", "/lib/{} HEAD",
	"/app/{}/{}/{}/xhr POST", "/app/{}/{}/{}/xhr_send POST", "/app/{}/{}/{}/xhr_streaming POST",
	"/pusher/app/{}/{}/{}/xhr POST", "/pusher/app/{}/{}/{}/xhr_send POST", "/pusher/app/{}/{}/{}/xhr_streaming POST",
	"/.well-known/security.txt GET", "/.well-known/security.txt HEAD", "/licenses.txt GET", "/licenses.txt HEAD", "/passkey-extension.zip GET", "/passkey-extension.zip HEAD", "/readyz GET", "/try GET", "/try HEAD",
}

var pathParam = regexp.MustCompile(`:\w+|\{\w+\}`)

// TestEveryRouteIsDocumented checks that openapi.yaml and the pages have every route, and
// no others.
func TestEveryRouteIsDocumented(t *testing.T) {
	gin.SetMode(gin.TestMode)
	engine, routes := gin.New(), map[string]bool{}
	a := &api.API{}
	a.Register(engine)
	a.RegisterSchemas(engine)
	for _, r := range engine.Routes() {
		routes[pathParam.ReplaceAllString(r.Path, "{}")+" "+r.Method] = true
	}
	documented := map[string]bool{}
	for _, op := range reference(t).Operations {
		documented[pathParam.ReplaceAllString(op.String(), "{}")] = true
	}
	for route := range routes {
		if !documented[route] {
			t.Errorf("%s is not documented", route)
		}
	}
	for route := range documented {
		if routes[route] == slices.Contains(elsewhere, route) {
			t.Errorf("%s is documented, but not served by this package; or it is, and listed as another's", route)
		}
	}
	for _, route := range elsewhere {
		if !documented[route] {
			t.Errorf("%s is not documented", route)
		}
	}
}

func TestDocumentedEventsExist(t *testing.T) {
	documented := map[string]bool{"employeeStatus": true, crm.EventChatPresence: true, crm.EventCall: true} // by sockets too; by customers alone
	for _, op := range reference(t).Operations {
		for _, name := range op.Events() {
			documented[name] = true
			if _, ok := crm.Schema(name); !ok {
				t.Errorf("%s: there is no event %q", op, name)
			}
		}
	}
	for _, name := range crm.EventNames() {
		if !documented[name] {
			t.Errorf("no operation is documented to cause the event %s", name)
		}
	}
}

// shapes maps schemas to their Go types: answers, then bodies.
var shapes = map[string]any{
	"TokenPair": crm.TokenPair{}, "TokenInfo": crm.TokenInfo{}, "Me": crm.Me{}, "MyCompany": crm.MyCompany{}, "Session": crm.SessionData{},
	"Callback": crm.CallbackData{}, "CallbackDelivery": crm.CallbackDelivery{}, "CallbackRewind": crm.CallbackRewind{}, "CallbackInput": crm.CallbackInput{}, "LineRef": crm.LineRef{},
	"AuditEntry": crm.AuditEntry{}, "AuditActor": crm.AuditActor{},
	"TOTPEnrolment": api.TOTPEnrolment{}, "RecoveryCodes": crm.RecoveryCodes{}, "CompanySecurity": crm.CompanySecurity{},
	"Employee": crm.EmployeeData{}, "Invited": crm.Invited{}, "InvitationLink": crm.InvitationLink{}, "InvitationData": crm.InvitationData{},
	"InvitationView": crm.InvitationView{}, "JoinedEmployee": crm.JoinedEmployee{}, "CreatedCompany": crm.CreatedCompany{}, "LicenseRight": crm.LicenseRight{},
	"ApiKey": crm.KeyData{}, "CreatedKey": crm.CreatedKey{}, "KeyInput": crm.KeyInput{},
	"License": crm.LicenseData{}, "LicenseStatus": crm.LicenseStatus{}, "Messenger": crm.MessengerData{},
	"RatingReason": crm.RatingReason{},
	"LineSettings": crm.LineSettings{}, "LineSettingsChanges": crm.LineSettingsChanges{},
	"Group": crm.Group{}, "GroupMember": crm.GroupMember{}, "MemberResult": crm.MemberResult{}, "MemberError": crm.SendError{},
	"CreatedGroup": crm.CreatedGroup{}, "JoinedGroup": crm.JoinedGroup{}, "GroupLinkAnswer": crm.GroupLink{}, "GroupImage": crm.GroupImage{}, "Profile": crm.AccountProfile{}, "ContactProfile": crm.ContactProfile{}, "BusinessProfile": crm.BusinessProfile{},
	"BusinessHours": crm.BusinessHours{}, "Privacy": crm.Privacy{}, "PrivacyChanges": crm.PrivacyChanges{}, "ProfileChanges": crm.ProfileChanges{}, "ChatState": crm.ChatState{}, "StatusPost": crm.StatusPost{}, "PostedStatus": crm.PostedStatus{}, "ChatStateChanges": crm.ChatStateChanges{},
	"LineStatus": crm.LineStatus{}, "Pairing": crm.Pairing{}, "PasskeyStep": crm.PasskeyStep{}, "PasskeyOptions": crm.PasskeyOptions{}, "PasskeyCredential": crm.PasskeyCredential{}, "Contact": crm.ContactData{},
	"ContactCheck": crm.ContactCheck{}, "ContactCheckError": crm.SendError{},
	"Chat": crm.ChatData{}, "LastMessage": crm.LastMessage{}, "FoundMessages": crm.FoundMessages{}, "Conversation": crm.ChatWindow{}, "Message": crm.HistoryItem{}, "Content": crm.Content{},
	"File": crm.FileData{}, "Location": crm.Location{}, "ContactCard": crm.ContactCard{}, "Poll": crm.Poll{},
	"Reaction": crm.Reaction{}, "PollVote": crm.PollVote{}, "Mention": crm.Mention{}, "Author": crm.Author{}, "Quoted": crm.QuotedMessage{}, "ChatCard": crm.ChatCard{},
	"ErrorObject": server.ErrorObject{}, "Sent": crm.Sent{}, "Ref": crm.IDRef{}, "AppRef": crm.AppRef{},
	"TagCategory": crm.CategoryData{}, "Tag": crm.TagData{}, "Level": crm.LevelData{},
	"QuickList": crm.QuickListData{}, "QuickAccess": crm.QuickAccessData{}, "QuickResponse": crm.QuickResponseData{},
	"InboundAnswer": crm.InboundAnswer{}, "InboundMessageResult": crm.InboundMessageResult{},
	"InboundStatusResult": crm.InboundStatusResult{}, "EventTicket": crm.EventTicket{}, "Events": crm.EventsPage{}, "PublishedEvent": crm.PublishedEvent{},
	"ServerState": api.ServerData{}, "ServerSockets": api.ServerSockets{}, "ServerEngine": api.ServerEngine{},
	"ServerJournal": api.ServerJournal{}, "ServerHistory": api.ServerHistory{}, "ServerSample": api.ServerSample{},
	"ServerChannel": api.ServerChannel{},
	"App":           crm.AppData{}, "AppWithSecret": crm.AppWithSecret{}, "AppLimits": apps.Limits{}, "AppWebhook": apps.Webhook{}, "AppHistory": apps.History{},
	"AppWebhookState": crm.AppWebhookData{}, "WebhookDelivery": crm.AppWebhookDelivery{},

	"PasskeyAnswer": crm.PasskeyAnswer{}, "PasskeyAssertion": crm.PasskeyAssertion{}, "PasskeyAssertionResult": crm.PasskeyAssertionResult{},
	"MyChanges": crm.MyChanges{}, "Invitation": crm.Invitation{}, "EmployeeChanges": crm.EmployeeChanges{},
	"Acceptance": crm.Acceptance{}, "CompanyInput": crm.CompanyInput{},
	"ChatInput": crm.ChatInput{}, "ChatParticipant": crm.ChatParticipant{}, "GroupInput": crm.GroupInput{}, "GroupChanges": crm.GroupChanges{}, "GroupLink": crm.GroupLink{}, "NamedInput": crm.NamedInput{}, "TagInput": crm.TagInput{},
	"QuickListInput": crm.QuickListInput{}, "QuickAccessInput": crm.QuickAccessInput{},
	"QuickResponseInput": crm.QuickResponseInput{}, "InboundMessage": crm.InboundMessage{},
	"InboundChatObject": crm.InboundChat{}, "InboundUser": crm.InboundUser{}, "InboundStatus": crm.InboundStatus{},
	"InboundContent": crm.Content{}, "Invite": crm.Invite{}, "MessageOrigin": crm.MessageOrigin{}, "AppInput": crm.AppInput{}, "AppWebhookInput": apps.Webhook{}, "AppHistoryInput": apps.History{}, "RotateInput": crm.RotateInput{},
}

// unnamed lists schemas of answers without a type of crm: envelopes, and answers of other
// packages. They are checked against real answers.
var unnamed = []string{
	"AuthFault", "ChannelAuth", "ChannelHistory", "ChannelState", "ChannelUsers", "Console", "Done", "Healthy", "HistoryGone", "OccupiedChannels",
	"PublishFault", "Published", "PublishedBatch", "Ready", "Refs", "UserAuth",
}

// TestSchemasFitTheTypes checks that a schema has the fields of its type, and that all
// fields of answers are required, except those that may be left out.
func TestSchemasFitTheTypes(t *testing.T) {
	schemas := reference(t).Doc.Components.Schemas
	for name, value := range shapes {
		schema := schemas[name]
		if schema == nil {
			t.Errorf("%s has no schema", name)
			continue
		}
		all, always := jsonFields(reflect.TypeOf(value))
		if have := slices.Sorted(maps.Keys(schema.Value.Properties)); !slices.Equal(have, all) {
			t.Errorf("%s has the fields\n%v, its type\n%v", name, have, all)
		}
		if isStrict(schema.Value.AdditionalProperties.Has) && name != "LicenseRight" {
			if have := slices.Sorted(slices.Values(schema.Value.Required)); !slices.Equal(have, always) {
				t.Errorf("%s requires\n%v, its type has always\n%v", name, have, always)
			}
		}
	}
	for name, schema := range schemas {
		if _, has := shapes[name]; !has && isStrict(schema.Value.AdditionalProperties.Has) && !slices.Contains(unnamed, name) {
			t.Errorf("the schema %s has no Go type to be held against", name)
		}
	}
}

// isStrict reports whether a schema allows no further fields, as schemas of answers do.
func isStrict(additional *bool) bool { return additional != nil && !*additional }

// jsonFields returns the JSON names of a type's fields, sorted, and those of the fields
// that are never left out.
func jsonFields(typ reflect.Type) (all, always []string) {
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous:
			inner, innerAlways := jsonFields(f.Type)
			all, always = append(all, inner...), append(always, innerAlways...)
		case f.IsExported() && name != "-":
			all = append(all, name)
			if rest != "omitempty" {
				always = append(always, name)
			}
		}
	}
	slices.Sort(all)
	slices.Sort(always)
	return all, always
}
