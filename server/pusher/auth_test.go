package pusher_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"chatcast/broadcasting"
	"chatcast/channels"
	"chatcast/server/api/apitest"
	"chatcast/server/pusher"
)

// company is a CRM with two users: 685, who works for company 2224 and reads its
// licence 1229, and 900, who works elsewhere.
type company struct{}

const (
	token      = "$2y$10$l.SQOBOaqz3ZU65JAlEK4ughTCzIbcVGpJIUNTVnGpaKOYOd4M"
	newerToken = "newer" // of another session of the same user
	otherToken = "other"
	// deniedToken is of a user who may enter no channel.
	deniedToken = "denied"
	keyToken    = "the key of a program"
	keyUser     = 702 // stands for it
)

func (company) Authenticate(_ context.Context, t string) (pusher.Session, error) {
	switch t {
	case token:
		return session(685), nil
	case newerToken:
		newer := session(685)
		newer.ID++
		return newer, nil
	case otherToken:
		return session(900), nil
	case deniedToken:
		return pusher.Session{}, channels.ErrDenied
	case keyToken:
		return keySession, nil
	case "broken":
		return pusher.Session{}, errors.New("a secret reason")
	}
	return pusher.Session{}, pusher.ErrUnknownToken
}

func (company) Session(_ context.Context, id int64) (pusher.Session, error) {
	if id == keySession.ID {
		return keySession, nil
	}
	s := session(id - 1000)
	if id == session(685).ID+1 {
		s = session(685)
	}
	s.ID = id
	return s, nil
}

// session is the only session of a user. It ends long after the test, in fake time too.
func session(userID int64) pusher.Session {
	return pusher.Session{ID: 1000 + userID, UserID: userID, Until: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}
}

// keySession is the only one of the key.
var keySession = pusher.Session{ID: -7, UserID: keyUser, Key: true}

func (company) UserInfo(_ context.Context, userID int64) (string, error) {
	return map[int64]string{685: "Mr. <Channels>", 900: strings.Repeat("\x01", 300)}[userID], nil
}

func (company) MayReadLines(context.Context, int64, int64) (bool, error) { return false, nil }

func (company) MayPairLine(context.Context, int64, int64, string) (bool, error) { return false, nil }

func (company) MayReadLine(_ context.Context, userID, licenseID int64, messenger string) (bool, error) {
	if licenseID == 500 {
		return false, errors.New("a secret reason")
	}
	return (userID == 685 || userID == keyUser) && licenseID == 1229 && messenger == "grWhatsApp" || userID == 900 && licenseID == 77, nil
}

func (company) Employed(_ context.Context, userID, companyID int64) (bool, error) {
	return userID == 685 && companyID == 2224 || userID == 900 && companyID == 9, nil
}

func (company) IsPerson(_ context.Context, userID int64) (bool, error) { return userID != keyUser, nil }

// nowhere is the id of a socket that no node has.
const nowhere = "9.9"

// grants records what was granted.
type grants struct {
	mu   sync.Mutex
	list []string // guarded by mu

	lookErr, unsubscribeErr error // errors of the engine
}

func (g *grants) Grant(_ context.Context, app, socketID string, o broadcasting.Owner, channel, _ string) (bool, error) {
	return g.note(socketID, app+" "+socketID+" "+channel+" "+o.UserID)
}

// Position implements pusher.Journal.
func (g *grants) Position(context.Context) (int64, error) { return 30, g.lookErr }

func (g *grants) Received(_ context.Context, _, socketID, userID, _ string) (broadcasting.Progress, bool) {
	progress := map[string]broadcasting.Progress{"7.7": {Seq: 20, Confirmed: true}, "7.6": {Seq: 20}}
	p, ok := progress[socketID]
	return p, ok && userID == "685"
}

func (g *grants) Unsubscribe(ctx context.Context, userID string, channels ...string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if ctx.Err() != nil {
		g.list = append(g.list, "too late: ")
	}
	g.list = append(g.list, "unsubscribed "+userID+" "+strings.Join(channels, " "))
	return g.unsubscribeErr
}

func (g *grants) Identify(_ context.Context, app, socketID string, o broadcasting.Owner) (bool, error) {
	return g.note(socketID, app+" "+socketID+" is "+o.UserID)
}

func (g *grants) EndSession(_ context.Context, userID string, session int64) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.list = append(g.list, fmt.Sprint("ended ", userID, " ", session))
	return nil
}

func (g *grants) ExtendSession(_ context.Context, o broadcasting.Owner) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.list = append(g.list, fmt.Sprint("extended ", o.UserID, " ", o.Session, " ", o.Until.UTC().Format(time.DateOnly)))
	return nil
}

func (g *grants) note(socketID, what string) (found bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.lookErr != nil || socketID == nowhere {
		return false, g.lookErr
	}
	g.list = append(g.list, what)
	return true, nil
}

func (g *grants) take() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := strings.Join(g.list, "\n")
	g.list = nil
	return all
}

func authorizer(t testing.TB) (http.Handler, *grants) {
	t.Helper()
	granted := new(grants)
	g := gin.New()
	(&pusher.Authorizer{
		App: newApps(t, docApp()).First(), Users: company{}, UserInfo: company{},
		Policy: channels.Policy{Access: company{}}, Grants: granted, Journal: granted, Log: quiet(),
	}).Register(g)
	return apitest.Documented(t, g, nil), granted
}

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
	line     = "private-v1.licenses.1229.messengers.grWhatsApp"
)

func ask(h http.Handler, method, target, authorization, contentType, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func form(socketID, channel string) string {
	return "socket_id=" + url.QueryEscape(socketID) + "&channel_name=" + url.QueryEscape(channel)
}

func askFor(h http.Handler, authorization, channel string) *httptest.ResponseRecorder {
	return ask(h, "POST", "/broadcasting/auth", authorization, formType, form("1234.1234", channel))
}

func TestAuthGolden(t *testing.T) {
	h, granted := authorizer(t)
	auth := func(channel, data string) string {
		canonical := "1234.1234:" + channel
		if data != "" {
			canonical += ":" + data
		}
		return docKey + ":" + hmacHex(docSecret, canonical)
	}
	const member = `{"user_id":"685","user_info":{"id":685,"name":"Mr. \u003cChannels\u003e"}}`
	for _, channel := range []string{
		line, "private-v1.companies.2224", "private-v1.users.685", "private-v1.companies.2224.users.685",
	} {
		w := askFor(h, token, channel)
		want := `{"auth":"` + auth(channel, "") + `"}`
		if w.Code != 200 || w.Body.String() != want {
			t.Errorf("%s: %d %s, want %s", channel, w.Code, w.Body, want)
		}
		if w.Header().Get("Content-Type") != jsonType || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: headers %v", channel, w.Header())
		}
		if got, want := granted.take(), "3 1234.1234 "+channel+" 685"; got != want {
			t.Errorf("granted %q, want %q", got, want)
		}
	}
	for _, channel := range []string{"presence-v1.licenses.1229.messengers.grWhatsApp", "presence-v1.companies.2224"} {
		w := askFor(h, token, channel)
		data, _ := json.Marshal(member)
		want := `{"auth":"` + auth(channel, member) + `","channel_data":` + string(data) + `}`
		if w.Code != 200 || w.Body.String() != want {
			t.Errorf("%s: %d %s, want %s", channel, w.Code, w.Body, want)
		}
		if got, want := granted.take(), "3 1234.1234 "+channel+" 685"; got != want {
			t.Errorf("granted %q, want %q", got, want)
		}
	}
}

const multipartType = `multipart/form-data; boundary="x"`

// multipartForm returns names and values as fetch sends a FormData.
func multipartForm(fields ...string) string {
	var b strings.Builder
	for i := 0; i < len(fields); i += 2 {
		b.WriteString("--x\r\nContent-Disposition: form-data; name=\"" + fields[i] + "\"\r\n\r\n" + fields[i+1] + "\r\n")
	}
	return b.String() + "--x--\r\n"
}

// The answer is the same for every form of the request.
func TestAuthSpellings(t *testing.T) {
	h, granted := authorizer(t)
	want := askFor(h, token, line).Body.String()
	granted.take()
	const asJSON = `{"socket_id":"1234.1234","channel_name":"` + line + `"}`
	query := form("1234.1234", line)
	for name, test := range map[string]struct{ method, target, authorization, contentType, body string }{
		"form":                    {"POST", "/broadcasting/auth", token, formType, query},
		"form with charset":       {"POST", "/broadcasting/auth", token, formType + "; charset=UTF-8", query},
		"form without a type":     {"POST", "/broadcasting/auth", token, "", query},
		"JSON":                    {"POST", "/broadcasting/auth", token, jsonType, asJSON},
		"JSON with charset":       {"POST", "/broadcasting/auth", token, jsonType + ";charset=utf-8", asJSON},
		"multipart":               {"POST", "/broadcasting/auth", token, multipartType, multipartForm("socket_id", "1234.1234", "channel_name", line)},
		"more in multipart":       {"POST", "/broadcasting/auth", token, multipartType, multipartForm("x", "\xff", "channel_name", line, `f"; filename="x`, "\x00", "socket_id", "1234.1234")},
		"GET":                     {"GET", "/broadcasting/auth?" + query, token, "", ""},
		"Bearer":                  {"POST", "/broadcasting/auth", "Bearer " + token, formType, query},
		"bearer":                  {"POST", "/broadcasting/auth", "bearer  " + token, formType, query},
		"more fields in a form":   {"POST", "/broadcasting/auth", token, formType, query + "&page=17&csrf=%zz&&x"},
		"more fields in JSON":     {"POST", "/broadcasting/auth", token, jsonType, strings.Replace(asJSON, "{", `{"page":17,"x":[],`, 1)},
		"a form, nothing escaped": {"POST", "/broadcasting/auth", token, formType, "socket_id=1234.1234&channel_name=" + line},
	} {
		w := ask(h, test.method, test.target, test.authorization, test.contentType, test.body)
		if w.Code != 200 || w.Body.String() != want {
			t.Errorf("%s: %d %s, want %s", name, w.Code, w.Body, want)
		}
		granted.take()
	}
}

// Without an owner that could lose access again there is no signature, both when no
// node has the socket and when that is not known.
func TestNoSignatureWithoutAnOwner(t *testing.T) {
	const (
		noSocket = `{"success":false,"error":{"code":"ApiAccessDeniedError","message":"no connection has this socket_id"},"message":"no connection has this socket_id"}`
		notNow   = `{"success":false,"error":{"code":"ApiUnavailableError","message":"the connection could not be looked up now, please try again"},"message":"the connection could not be looked up now, please try again"}`
	)
	h, granted := authorizer(t)
	for path, body := range map[string]string{
		"/broadcasting/auth":      form(nowhere, line),
		"/broadcasting/user-auth": "socket_id=" + nowhere,
	} {
		granted.lookErr = nil
		if w := ask(h, "POST", path, token, formType, body); w.Code != 403 || w.Body.String() != noSocket {
			t.Errorf("%s of nobody's socket: %d %s", path, w.Code, w.Body)
		}
		granted.lookErr = broadcasting.ErrUnanswered
		if w := ask(h, "POST", path, token, formType, body); w.Code != 503 || w.Body.String() != notNow {
			t.Errorf("%s when a node does not answer: %d %s", path, w.Code, w.Body)
		}
	}
}

const denied = `{"success":false,"error":{"code":"ApiAccessDeniedError","message":"no access to this channel"},"message":"no access to this channel"}`

// A channel that is not the user's gets the same bytes, whether it exists or not.
func TestAuthDenies(t *testing.T) {
	h, granted := authorizer(t)
	for _, channel := range []string{
		"private-v1.licenses.77.messengers.grWhatsApp",    // another company's
		"private-v1.licenses.78.messengers.grWhatsApp",    // nobody's
		"private-v1.licenses.1229.messengers.telegram",    // no such messenger
		"private-v1.licenses.01229.messengers.grWhatsApp", // another spelling
		"private-v1.licenses.99999999999999999999.messengers.grWhatsApp",
		"private-v1.companies.9", "private-v1.companies.10", "private-v1.companies.2224.users.900",
		"private-v1.companies.9.users.685", "private-v1.users.900", "private-v1.users.901", "private-v1.users.685.x",
		"presence-v1.licenses.77.messengers.grWhatsApp", "presence-v1.companies.9", "presence-v1.users.685",
		"private-encrypted-v1.users.685", "private-cache-v1.users.685", "presence-cache-v1.companies.2224",
		"private-x", "presence-x", "private-v2.users.685", "v1.users.685", "public", "#server-to-user-685",
	} {
		w := askFor(h, token, channel)
		if w.Code != 403 || w.Body.String() != denied || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s", channel, w.Code, w.Body)
		}
		if got := granted.take(); got != "" {
			t.Errorf("%s: granted %s", channel, got)
		}
	}
}

func TestAuthRefuses(t *testing.T) {
	h, granted := authorizer(t)
	refusal := func(code, message, fields string) string {
		return `{"success":false,"error":{"code":"` + code + `","message":"` + message + `"` + fields + `},"message":"` + message + `"}`
	}
	invalid := func(field, why string) string {
		return refusal("ApiValidationError", field+" "+why, `,"fields":{"`+field+`":"`+why+`"}`)
	}
	noToken := refusal("ApiInvalidTokenError", "an access token is required in the Authorization header", "")
	badToken := refusal("ApiInvalidTokenError", "the access token is invalid or has expired", "")
	badSocket := invalid("socket_id", "must be digits, a dot and digits, as the server gave it to the socket")
	good := form("1234.1234", line)

	for name, test := range map[string]struct {
		method, query, authorization, contentType, body string
		status                                          int
		want                                            string
	}{
		"no token":               {"POST", "", "", formType, good, 401, noToken},
		"no token, malformed":    {"POST", "", "", formType, "", 401, noToken},
		"blank token":            {"POST", "", "  ", formType, good, 401, noToken},
		"Bearer and nothing":     {"POST", "", "Bearer ", formType, good, 401, noToken},
		"Bearer alone":           {"POST", "", "Bearer", formType, good, 401, noToken},
		"token in the URL":       {"GET", "?access_token=" + token + "&" + good, "", "", "", 401, noToken},
		"JSONP":                  {"GET", "?callback=Pusher.auth_callbacks['1']&" + good, "", "", "", 401, noToken},
		"bad token":              {"POST", "", "x", formType, good, 403, badToken},
		"bad token, malformed":   {"POST", "", "Bearer x", formType, "", 403, badToken},
		"Basic":                  {"POST", "", "Basic " + token, formType, good, 403, badToken},
		"long token":             {"POST", "", strings.Repeat("x", 100_000), formType, good, 403, badToken},
		"nothing":                {"POST", "", token, "", "", 422, invalid("socket_id", "is required")},
		"GET nothing":            {"GET", "", token, "", "", 422, invalid("socket_id", "is required")},
		"fields in a POST's URL": {"POST", "?" + good, token, formType, "", 422, invalid("socket_id", "is required")},
		"no channel":             {"POST", "", token, formType, "socket_id=1.1", 422, invalid("channel_name", "is required")},
		"empty channel":          {"POST", "", token, formType, form("1.1", ""), 422, invalid("channel_name", "the name is empty")},
		"bad channel":            {"POST", "", token, formType, form("1.1", "private-é"), 422, invalid("channel_name", "the name may hold only A-Z a-z 0-9 _ - = @ , . ;")},
		"long channel":           {"POST", "", token, formType, form("1.1", "private-"+strings.Repeat("x", 193)), 422, invalid("channel_name", "the name is longer than 200 bytes")},
		"channel escaped badly":  {"POST", "", token, formType, "socket_id=1.1&channel_name=%zz", 422, invalid("channel_name", "is not percent-encoded UTF-8")},
		"escaped non-UTF-8":      {"POST", "", token, formType, "socket_id=1.1&channel_name=%ff", 422, invalid("channel_name", "is not percent-encoded UTF-8")},
		"empty socket":           {"POST", "", token, formType, form("", line), 422, badSocket},
		"smuggling socket":       {"POST", "", token, formType, form("1.1:private-v1.users.900", line), 422, badSocket},
		"socket and a newline":   {"POST", "", token, formType, form("1.1\n", line), 422, badSocket},
		"two sockets":            {"POST", "", token, formType, good + "&socket_id=1.1", 422, invalid("socket_id", "is given twice")},
		"two sockets in JSON":    {"POST", "", token, jsonType, `{"socket_id":"1.1","channel_name":"` + line + `","socket_\u0069d":"1.2"}`, 422, invalid("socket_id", "is given twice")},
		"two channels in JSON":   {"POST", "", token, jsonType, `{"channel_name":"x","socket_id":"1.1","channel_name":"` + line + `"}`, 422, invalid("channel_name", "is given twice")},
		"not UTF-8":              {"POST", "", token, formType, "socket_id=\xff", 422, invalid("body", "is not valid UTF-8")},
		"number as socket":       {"POST", "", token, jsonType, `{"socket_id":1.5,"channel_name":"` + line + `"}`, 422, invalid("socket_id", "must be a string, not number")},
		"object as channel":      {"POST", "", token, jsonType, `{"socket_id":"1.1","channel_name":{}}`, 422, invalid("channel_name", "must be a string, not object")},
		"null in JSON":           {"POST", "", token, jsonType, `{"socket_id":null}`, 422, invalid("socket_id", "is required")},
		"JSON null":              {"POST", "", token, jsonType, `null`, 422, invalid("socket_id", "is required")},
		"JSON array":             {"POST", "", token, jsonType, `[]`, 422, invalid("body", "must be a JSON object, not array")},
		"no JSON":                {"POST", "", token, jsonType, `{"socket_id":`, 422, invalid("body", "must be JSON: unexpected end of JSON input")},
		"empty JSON":             {"POST", "", token, jsonType, "", 422, invalid("body", "must be JSON: unexpected end of JSON input")},
		"another type":           {"POST", "", token, "text/plain", good, 422, invalid("body", "must be application/x-www-form-urlencoded, multipart/form-data or application/json")},
		"no boundary":            {"POST", "", token, "multipart/form-data", good, 422, invalid("body", "is multipart/form-data without a boundary in Content-Type")},
		"not multipart":          {"POST", "", token, "multipart/form-data; boundary=x", good, 422, invalid("body", "is not valid multipart/form-data")},
		"cut multipart":          {"POST", "", token, multipartType, strings.TrimSuffix(multipartForm("socket_id", "1.1"), "--x--\r\n"), 422, invalid("body", "is not valid multipart/form-data")},
		"twice in multipart":     {"POST", "", token, multipartType, multipartForm("socket_id", "1.1", "socket_id", "1.2"), 422, invalid("socket_id", "is given twice")},
		"multipart, not UTF-8":   {"POST", "", token, multipartType, multipartForm("socket_id", "\xff"), 422, invalid("socket_id", "is not valid UTF-8")},
		"a file":                 {"POST", "", token, multipartType, multipartForm(`socket_id"; filename="a`, "1.1"), 422, invalid("socket_id", "must be a field, not a file")},
		"smuggled in multipart":  {"POST", "", token, multipartType, multipartForm("socket_id", "1.1:private-x", "channel_name", line), 422, badSocket},
		"a bad type":             {"POST", "", token, ";;;", good, 422, invalid("body", "must be application/x-www-form-urlencoded, multipart/form-data or application/json")},
		"oversize":               {"POST", "", token, formType, good + "&x=" + strings.Repeat("x", 16<<10), 413, refusal("ApiTooLargeError", "the body is over 16384 bytes", "")},
		"user without channels":  {"POST", "", deniedToken, formType, good, 403, refusal("ApiAccessDeniedError", "no access to this channel", "")},
		"tokens not readable":    {"POST", "", "broken", formType, good, 500, refusal("ApiInternalError", "internal error", "")},
		"policy not readable":    {"POST", "", token, formType, form("1.1", "private-v1.licenses.500.messengers.grWhatsApp"), 500, refusal("ApiInternalError", "internal error", "")},
	} {
		t.Run(name, func(t *testing.T) {
			w := ask(h, test.method, "/broadcasting/auth"+test.query, test.authorization, test.contentType, test.body)
			if w.Code != test.status || w.Body.String() != test.want {
				t.Errorf("%d %s, want %d %s", w.Code, w.Body, test.status, test.want)
			}
			if w.Header().Get("Cache-Control") != "no-store" {
				t.Error("the answer may be cached")
			}
			if got := granted.take(); got != "" {
				t.Errorf("granted %s", got)
			}
		})
	}
}

// However long or unusual a name is, the member stays within the protocol's limit of
// 1,024 bytes.
func TestAuthMemberIsSmall(t *testing.T) {
	h, _ := authorizer(t)
	var answer struct {
		ChannelData string `json:"channel_data"`
	}
	w := askFor(h, otherToken, "presence-v1.companies.9")
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || len(answer.ChannelData) == 0 || len(answer.ChannelData) > 1024 {
		t.Errorf("%d, %v, %d bytes of channel_data", w.Code, err, len(answer.ChannelData))
	}
}

// FuzzAuth: any form or JSON is signed or refused, and only what was requested is
// signed.
func FuzzAuth(f *testing.F) {
	f.Add(formType, form("1234.1234", line))
	f.Add(jsonType, `{"socket_id":"1.1","channel_name":"presence-v1.companies.2224"}`)
	f.Add(jsonType, `{"socket_id":1.1,"channel_name":["x"]}`)
	f.Add(formType, "socket_id=1.1&channel_name=%zz;&socket_id=")
	h, granted := authorizer(f)
	f.Fuzz(func(t *testing.T, contentType, body string) {
		w := ask(h, "POST", "/broadcasting/auth", token, contentType, body)
		granted := granted.take()
		var answer struct {
			Auth    string
			Success *bool
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatalf("the answer is no JSON: %s", w.Body)
		}
		switch w.Code {
		case 200:
			if answer.Auth == "" || strings.Count(granted, " ") != 3 || strings.Contains(granted, "900") && !strings.Contains(body, "900") {
				t.Errorf("%s, granted %q for %q", w.Body, granted, body)
			}
		case 403, 413, 422, 500: // 500 is licence 500, whose policy cannot be read
			if granted != "" || answer.Auth != "" || answer.Success == nil || *answer.Success {
				t.Errorf("%d %s, granted %q", w.Code, w.Body, granted)
			}
		default:
			t.Errorf("status %d", w.Code)
		}
	})
}
