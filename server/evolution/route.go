package evolution

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"chatcast/channels/refusals"
	"chatcast/crm"
	"chatcast/server"
)

// route is one row of the dialect.
type route struct {
	methods string // separated by blanks
	path    string // in gin's words; with :instance for a route of an instance
	company bool   // only for keys of companies
	changes bool   // a GET that changes something
	body    schema // nil: the body is not read
	lifts   []lift // words of version 1, see lift
	media   bool   // the body may hold a file
	picture bool   // the body may hold a picture in base64
	status  bool   // the file is that of a status post
	// groupErrors gives violations of the body the form that routes of groups have; flatErrors
	// leaves out the member response.
	groupErrors, flatErrors bool
	within                  time.Duration // 0: usualTime
	do                      func(q *request) (answer, error)
	fail                    func(q *request, err error) error // nil: refusalOf
}

// usualTime is how long a request may take.
const usualTime = time.Minute

// answer is what a route answers.
type answer struct {
	status int
	body   any
}

func ok(body any) answer   { return answer{http.StatusOK, body} }
func made(body any) answer { return answer{http.StatusCreated, body} }

// serve returns the handler of a route: key, then instance, then body.
func (e *Evolution) serve(rt route) gin.HandlerFunc {
	ofInstance := strings.Contains(rt.path, ":instance")
	return func(c *gin.Context) {
		ctx := crm.WithClient(c.Request.Context(), crm.Client{Address: server.ClientAddress(c), UserAgent: c.Request.UserAgent()})
		if !rt.media {
			limited, cancel := context.WithTimeout(ctx, max(rt.within, usualTime))
			defer cancel()
			ctx = limited
		}
		c.Request = c.Request.WithContext(ctx)
		q := &request{e: e, c: c, ctx: ctx, rt: &rt}
		defer q.end()
		err := q.authenticate()
		if err == nil && ofInstance {
			err = q.findInstance()
		}
		if err == nil && rt.body != nil {
			err = q.readBody()
		}
		var out answer
		if err == nil {
			out, err = rt.do(q)
			if err != nil && rt.fail != nil {
				err = rt.fail(q, err)
			}
		}
		if err != nil {
			e.fail(c, err)
			return
		}
		writeJSON(c, out.status, out.body)
	}
}

// request is a request of a route.
type request struct {
	e   *Evolution
	c   *gin.Context
	ctx context.Context
	rt  *route

	actor    crm.Actor
	key      *crm.KeyData
	instance *crm.Instance // nil: the route is of none
	shape    string        // of the answer
	raw      object        // the body as it came
	body     object        // the body in the words of version 2
	upload   *crm.Upload   // the file of the body; nil: there is none, or it is a text in it
	releases []func()      // of memory, see hold
	formLeft int64         // how many bytes the other fields of a form may still have

	uploadText bool   // the upload was a text in base64
	uploadType string // which its sender told with it; empty: none
}

// end releases what the request holds.
func (q *request) end() {
	q.upload.Discard()
	for _, release := range q.releases {
		release()
	}
}

// takeUpload returns the file of the body, if it came as one. The caller passes it on or discards it.
func (q *request) takeUpload() *crm.Upload {
	u := q.upload
	q.upload = nil
	return u
}

// keyOf returns the key of a request: the header apikey, or Bearer.
func keyOf(r *http.Request) string {
	if key := strings.TrimSpace(r.Header.Get("apikey")); key != "" {
		return key
	}
	return server.AccessToken(r)
}

func (q *request) authenticate() error {
	actor, key, err := q.e.CRM.AuthenticateKey(q.ctx, keyOf(q.c.Request))
	if err != nil {
		if reason := keyReason(err); reason != "" {
			q.e.Refusals.Add(q.ctx, refusals.AccessToken, reason, "route", q.c.FullPath(), "address", server.ClientAddress(q.c))
			return unauthorized
		}
		return err
	}
	q.actor, q.key, q.shape = actor, key, q.askedShape(crm.ShapeV2)
	if q.rt.company && key.LicenseID != 0 {
		return unauthorized
	}
	return nil
}

// askedShape returns the shape that the request's header asks for, or else the given one.
func (q *request) askedShape(shape string) string {
	if asked := q.c.GetHeader("X-Evolution-Shape"); crm.ValidShape(asked) {
		return asked
	}
	return shape
}

// findInstance finds the instance that the path names, for the key.
func (q *request) findInstance() error {
	name := q.c.Param("instance")
	i, err := q.e.CRM.Instance(q.ctx, q.actor, name)
	if hasCode(err, crm.CodeNotFound) || err == nil && !crm.IsWhatsApp(i.Line.Messenger) {
		return absent(`The "` + clip(name) + `" instance does not exist`)
	}
	if err != nil {
		return err
	}
	q.instance, q.shape = i, q.askedShape(i.Shape)
	return nil
}

// mustHave refuses a key without these rights, before the rules are asked.
func (q *request) mustHave(rights ...string) error {
	for _, right := range rights {
		if !q.key.Has(right) {
			return &refusal{status: http.StatusForbidden, message: []string{"this key does not have the right " + right}}
		}
	}
	return nil
}

// query returns a parameter of the query.
func (q *request) query(name string) string { return q.c.Query(name) }

// v1 reports whether the answer has the words of version 1.
func (q *request) v1() bool { return q.shape == crm.ShapeV1 }

// line returns the line of the instance.
func (q *request) line() crm.Line { return q.instance.Line }
