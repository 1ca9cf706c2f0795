package access_test

import (
	"net/http"
	"slices"

	"chatcast/crm"
	"chatcast/models"
	"chatcast/server/api/apitest"
)

// Companies of the matrix. The host runs the server: it was made first.
const (
	hostCo   = "host"
	alpha    = "alpha"
	bravo    = "bravo"
	strictCo = "strict" // requires a second factor
)

// job is what a person may do in one company.
type job struct {
	role        string
	onlyMine    bool
	read, write bool   // of operators, on the company's licence
	list        string // access to the company's list of quick responses: "", r or w
}

func (j *job) manages() bool { return j.role == models.RoleOwner || j.role == models.RoleAdmin }

// person is one column of the matrix.
type person struct {
	name      string
	id        int64
	token     string // sent as Authorization; "": none
	refused   int    // what every route answers that needs a token; 0: the person is signed in
	enrolling bool   // must set up a second factor first
	jobs      map[string]*job
	key       *key // nil: a person
}

// key is what the key of a program may do.
type key struct {
	company string
	line    bool   // for one of the company's lines alone
	on      string // the messenger of that; "": the bridge
	rights  []string
}

// may reports whether the key has all of the rights of x-key.
func (k *key) may(rights []string) bool {
	return !slices.ContainsFunc(rights, func(right string) bool {
		if right == "company" {
			return k.line
		}
		return !slices.Contains(k.rights, right)
	})
}

func at(company string, j job) map[string]*job { return map[string]*job{company: &j} }

// people returns every kind of person, with ids from 8001.
func people() []*person {
	admin := job{role: models.RoleAdmin}
	list := []*person{
		{name: "owner", jobs: at(alpha, job{role: models.RoleOwner, list: "w"})},
		{name: "admin", jobs: at(alpha, admin)},
		{name: "writer", jobs: at(alpha, job{role: models.RoleOperator, read: true, write: true, list: "w"})},
		{name: "reader", jobs: at(alpha, job{role: models.RoleOperator, read: true, list: "r"})},
		{name: "own chats", jobs: at(alpha, job{role: models.RoleOperator, onlyMine: true, read: true, write: true})},
		{name: "own chats, read", jobs: at(alpha, job{role: models.RoleOperator, onlyMine: true, read: true})},
		{name: "without licence", jobs: at(alpha, job{role: models.RoleOperator})},
		{name: "stranger", jobs: at(bravo, job{role: models.RoleOwner, list: "w"})},
		{name: "of both", jobs: map[string]*job{alpha: {role: models.RoleOperator, read: true}, bravo: &admin}},
		{name: "host", jobs: at(hostCo, job{role: models.RoleOwner})},
		{name: "host's operator", jobs: at(hostCo, job{role: models.RoleOperator})},
		{name: "of no company", jobs: map[string]*job{}},
		{name: "must enrol", refused: http.StatusForbidden, enrolling: true, jobs: map[string]*job{alpha: &admin, strictCo: {role: models.RoleOperator}}},
		{name: "disabled", refused: http.StatusForbidden, jobs: at(alpha, admin)},
		{name: "expired token", refused: http.StatusForbidden, jobs: at(alpha, admin)},
	}
	list = append(list, keys()...)
	return append(withIDs(list, 8001),
		&person{name: "nobody", refused: http.StatusUnauthorized},
		&person{name: "forged token", token: "no such token", refused: http.StatusForbidden},
	)
}

// withIDs gives people ids, from the first one, and tokens.
func withIDs(list []*person, first int64) []*person {
	for i, p := range list {
		p.id, p.token = first+int64(i), "token of "+p.name
	}
	return list
}

// keys returns programs with keys.
func keys() []*person {
	all := crm.KeyRights()
	return []*person{
		{name: "company key", key: &key{company: alpha, rights: all}},
		{name: "company key, blind", key: &key{company: alpha, rights: []string{crm.KeySend, crm.KeyInbound}}},
		{name: "line key", key: &key{company: alpha, line: true, rights: all}},
		{name: "line key, read", key: &key{company: alpha, line: true, rights: []string{crm.KeyRead}}},
		{name: "strange key", key: &key{company: bravo, rights: all}},
		{name: "revoked key", refused: http.StatusForbidden, key: &key{company: alpha, rights: all}},
	}
}

// knows reports whether the person works for the company, or is a key of it.
func (p *person) knows(company string) bool {
	if p.key != nil {
		return p.key.company == company
	}
	return p.jobs[company] != nil
}

// success is the expectation of a status below 300 (of a socket, 101).
const success = 0

// rights is the closed vocabulary of x-access in openapi.yaml. Each maps to what a
// person who is signed in gets for objects of the company, or success. Those that are nil
// do not depend on who asks.
var rights = map[string]func(p *person, j *job) int{
	"anyone": nil, "appKey": nil, "app": nil, "secret": nil,
	"channel": nil, // tried with every channel instead
	"self":    func(*person, *job) int { return success }, "enrolling": func(*person, *job) int { return success },
	"host": func(p *person, _ *job) int {
		j := p.jobs[hostCo]
		return ifAllowed(j != nil && j.manages())
	},
	"employee":  func(_ *person, j *job) int { return inCompany(j, func() bool { return true }) },
	"person":    func(_ *person, j *job) int { return inCompany(j, func() bool { return j.manages() }) }, // about a colleague
	"admin":     func(_ *person, j *job) int { return inCompany(j, func() bool { return j.manages() }) },
	"owner":     func(_ *person, j *job) int { return inCompany(j, func() bool { return j.role == models.RoleOwner }) },
	"read":      func(_ *person, j *job) int { return inCompany(j, func() bool { return j.manages() || j.read }) },
	"write":     func(_ *person, j *job) int { return inCompany(j, func() bool { return j.manages() || j.write }) },
	"author":    func(_ *person, j *job) int { return inCompany(j, func() bool { return j.manages() || j.write }) }, // of a message without an author
	"readList":  func(_ *person, j *job) int { return ofList(j, func() bool { return true }) },
	"writeList": func(_ *person, j *job) int { return ofList(j, func() bool { return j.list == "w" }) },
}

// want is person.want for a key that is not refused. Operations without x-key take none,
// whatever they are about.
func (k *key) want(op apitest.Operation, company string) int {
	needed := op.Key()
	switch {
	case len(needed) == 0:
		return http.StatusForbidden
	case company != k.company, k.line && needsAccounts(op): // of another line
		return http.StatusNotFound
	}
	return ifAllowed(k.may(needed))
}

func ifAllowed(allowed bool) int {
	if allowed {
		return success
	}
	return http.StatusForbidden
}

func inCompany(j *job, allowed func() bool) int {
	if j == nil {
		return http.StatusNotFound
	}
	return ifAllowed(allowed())
}

func ofList(j *job, allowed func() bool) int {
	if j == nil || j.list == "" {
		return http.StatusNotFound
	}
	return ifAllowed(allowed())
}

// want returns what the person gets who asks for objects of the company with an operation.
func (p *person) want(op apitest.Operation, company string) int {
	right := op.Access()
	of := rights[right]
	switch {
	case of == nil:
		return success
	case p.refused != 0 && !(p.enrolling && right == "enrolling"):
		return p.refused
	case p.key != nil:
		return p.key.want(op, company)
	case right == "self" && company != alpha: // another person's
		return http.StatusNotFound
	}
	return of(p, p.jobs[company])
}
