package pusher_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/gin-gonic/gin"

	"chatcast/broadcasting"
	"chatcast/channels"
	"chatcast/server"
	"chatcast/server/api/apitest"
	"chatcast/server/pusher"
)

// fickle is a CRM that allows at first and then refuses.
type fickle struct {
	company
	tokens, access int // how many more times each allows
}

func (f *fickle) Authenticate(ctx context.Context, t string) (pusher.Session, error) {
	if f.tokens--; f.tokens < 0 {
		return pusher.Session{}, pusher.ErrUnknownToken
	}
	return f.company.Authenticate(ctx, t)
}

func (f *fickle) Session(ctx context.Context, id int64) (pusher.Session, error) {
	if f.tokens--; f.tokens < 0 {
		return pusher.Session{}, pusher.ErrUnknownToken
	}
	return f.company.Session(ctx, id)
}

func (f *fickle) Employed(ctx context.Context, userID, companyID int64) (bool, error) {
	if f.access--; f.access < 0 {
		return false, nil
	}
	return f.company.Employed(ctx, userID, companyID)
}

// Access that is withdrawn while it is being granted is not granted.
func TestAuthRevokedMeanwhile(t *testing.T) {
	const channel = "private-v1.companies.2224"
	for name, test := range map[string]struct {
		crm  *fickle
		want string
	}{
		"the job":   {&fickle{tokens: 2, access: 1}, "3 1234.1234 " + channel + " 685\nunsubscribed 685 " + channel},
		"the token": {&fickle{tokens: 1, access: 2}, "3 1234.1234 " + channel + " 685\nended 685 1685"},
		"both":      {&fickle{tokens: 1, access: 1}, "3 1234.1234 " + channel + " 685\nunsubscribed 685 " + channel},
	} {
		granted := new(grants)
		g := gin.New()
		(&pusher.Authorizer{
			App: newApps(t, docApp()).First(), Users: test.crm, UserInfo: test.crm,
			Policy: channels.Policy{Access: test.crm}, Grants: granted, Log: quiet(),
		}).Register(g)
		w := askFor(apitest.Documented(t, g, nil), token, channel)
		if w.Code != 403 || strings.Contains(w.Body.String(), "auth\"") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if got := granted.take(); got != test.want {
			t.Errorf("%s: the engine heard %q, want %q", name, got, test.want)
		}
	}
}

// hung is an engine whose other nodes do not answer in time.
type hung struct{ grants }

func (h *hung) Grant(ctx context.Context, _, _ string, _ broadcasting.Owner, _, _ string) (bool, error) {
	<-ctx.Done()
	return false, broadcasting.ErrUnanswered
}

// A node that does not answer may still have carried out the grant. If the permission
// was withdrawn by then, the grant is withdrawn too; if not, there is still no
// signature. The check and the withdrawal have time of their own.
func TestGrantUnanswered(t *testing.T) {
	const channel = "private-v1.companies.2224"
	for name, test := range map[string]struct {
		access int
		status int
		want   string
	}{
		"the permission is gone":  {1, 403, "unsubscribed 685 " + channel},
		"the permission is there": {2, 503, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				engine, crm := new(hung), &fickle{tokens: 2, access: test.access}
				g := gin.New()
				(&pusher.Authorizer{
					App: newApps(t, docApp()).First(), Users: crm, UserInfo: crm, Policy: channels.Policy{Access: crm}, Grants: engine, Log: quiet(),
				}).Register(g)
				w := askFor(apitest.Documented(t, g, nil), token, channel)
				if got := engine.take(); w.Code != test.status || strings.Contains(w.Body.String(), "auth\"") || got != test.want {
					t.Errorf("%d %s, the engine heard %q", w.Code, w.Body, got)
				}
			})
		})
	}
}

// hangUp is a client that leaves as soon as its socket is granted a channel, and a
// policy that fails once its context has ended.
type hangUp struct {
	grants
	company
	cancel context.CancelFunc
	now    bool // it still has access
}

func (h *hangUp) Grant(ctx context.Context, app, socketID string, o broadcasting.Owner, channel, data string) (bool, error) {
	h.cancel()
	h.now = false
	return h.grants.Grant(ctx, app, socketID, o, channel, data)
}

func (h *hangUp) Employed(ctx context.Context, _, _ int64) (bool, error) { return h.now, ctx.Err() }

// A client that hangs up while access is withdrawn keeps no grant: otherwise an old
// signature would be valid again.
func TestAuthRevokedAndHungUp(t *testing.T) {
	const channel = "private-v1.companies.2224"
	ctx, cancel := context.WithCancel(t.Context())
	h := &hangUp{cancel: cancel, now: true}
	g := gin.New()
	(&pusher.Authorizer{
		App: newApps(t, docApp()).First(), Users: h, UserInfo: h, Policy: channels.Policy{Access: h}, Grants: h, Log: quiet(),
	}).Register(g)
	r := httptest.NewRequestWithContext(ctx, "POST", "/broadcasting/auth", strings.NewReader(form("1234.1234", channel)))
	r.Header.Set("Authorization", token)
	r.Header.Set("Content-Type", formType)
	apitest.Documented(t, g, nil).ServeHTTP(httptest.NewRecorder(), r)
	if got, want := h.take(), "3 1234.1234 "+channel+" 685\nunsubscribed 685 "+channel; got != want {
		t.Errorf("the engine heard %q, want %q", got, want)
	}
}

// A grant whose permission cannot be checked again is withdrawn.
func TestAuthPolicyFailsAfterGrant(t *testing.T) {
	const channel = "private-v1.companies.2224"
	h := &failing{}
	granted := new(grants)
	g := gin.New()
	(&pusher.Authorizer{
		App: newApps(t, docApp()).First(), Users: h, UserInfo: h, Policy: channels.Policy{Access: h}, Grants: granted, Log: quiet(),
	}).Register(g)
	if w := askFor(apitest.Documented(t, g, nil), token, channel); w.Code != 500 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if got, want := granted.take(), "3 1234.1234 "+channel+" 685\nunsubscribed 685 "+channel; got != want {
		t.Errorf("the engine heard %q, want %q", got, want)
	}
}

// failing answers once, and then always fails.
type failing struct {
	company
	asked bool
}

func (f *failing) Employed(context.Context, int64, int64) (bool, error) {
	if f.asked {
		return false, errors.New("the database is unavailable")
	}
	f.asked = true
	return true, nil
}

// leaves fails once the context of the request has ended.
type leaves struct{ company }

func (leaves) Employed(ctx context.Context, _, _ int64) (bool, error) { return true, ctx.Err() }

// A request that was given up is not answered 200, which clients would read a signature from.
func TestAuthGivenUp(t *testing.T) {
	const channel = "private-v1.companies.2224"
	for status, cause := range map[int]error{server.StatusClientGone: nil, http.StatusServiceUnavailable: errors.New("the program stops")} {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(cause)
		g := gin.New()
		(&pusher.Authorizer{
			App: newApps(t, docApp()).First(), Users: leaves{}, UserInfo: leaves{}, Policy: channels.Policy{Access: leaves{}}, Grants: new(grants), Log: quiet(),
		}).Register(g)
		r := httptest.NewRequestWithContext(ctx, "POST", "/broadcasting/auth", strings.NewReader(form("1234.1234", channel)))
		r.Header.Set("Authorization", token)
		r.Header.Set("Content-Type", formType)
		w := httptest.NewRecorder()
		apitest.Documented(t, g, nil).ServeHTTP(w, r)
		if w.Code != status {
			t.Errorf("it is answered %d %s, want %d", w.Code, w.Body, status)
		}
	}
}
