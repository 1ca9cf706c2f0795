package access_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/models/testdb"
	"chatcast/server/api/apitest"
)

// minCells is how many cells there are at least. A matrix that has shrunk proves less.
const minCells = 7000

// TestEveryRightIsDeclared checks that each operation declares a right of the vocabulary,
// and that the reference explains every right.
func TestEveryRightIsDeclared(t *testing.T) {
	ref, err := apitest.Load()
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, op := range ref.Operations {
		if _, known := rights[op.Access()]; !known {
			t.Errorf("%s has x-access %q, which is no right", op, op.Access())
		}
		used[op.Access()] = true
		for _, right := range op.Key() {
			if right != "company" && !slices.Contains(crm.KeyRights(), right) {
				t.Errorf("%s has x-key %q, which is no right of keys", op, right)
			}
		}
	}
	for right := range rights {
		if !used[right] || !strings.Contains(ref.Doc.Info.Description, "`"+right+"`") {
			t.Errorf("the right %s is not used, or not explained", right)
		}
	}
}

// TestMatrix sends every operation as every person, for objects of their company, of
// another one, and for none. On PostgreSQL the people are those whom different queries
// tell apart.
func TestMatrix(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		if cells := matrix(t, newWorld(t, "")); cells < minCells {
			t.Errorf("only %d cells were tried, want %d", cells, minCells)
		}
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		w := newWorld(t, testdb.PostgresURL(t))
		w.people = slices.DeleteFunc(w.people, func(p *person) bool {
			return !slices.Contains([]string{"owner", "own chats", "of both", "host", "nobody", "company key", "line key, read"}, p.name)
		})
		matrix(t, w)
	})
}

// matrix tries all cells and returns their number.
func matrix(t *testing.T, w *world) (cells int) {
	m := &matrixRun{world: w, succeeded: map[string]bool{}}
	m.routes()
	for _, op := range m.ref.Operations {
		switch op.Access() {
		case "channel", "app": // see the other tests
			continue
		}
		if !m.served(op) {
			continue
		}
		s := m.shapeOf(op)
		for _, p := range m.columns(op) {
			m.row(s, p)
		}
		if !m.succeeded[op.String()] {
			t.Errorf("%s has not succeeded for anybody", op)
		}
	}
	t.Logf("%d cells, %s to restore", m.cells, m.restoring)
	return m.cells
}

type matrixRun struct {
	*world
	cells     int
	restoring time.Duration
	succeeded map[string]bool
}

// routes checks that the router has the operations of the references and no others. Those of the
// dialects of Evolution API and MultiWA have tests of their own: no person may use them.
func (m *matrixRun) routes() {
	evolution, err := apitest.LoadEvolution()
	if err != nil {
		m.t.Fatal(err)
	}
	multiwa, err := apitest.LoadMultiWA()
	if err != nil {
		m.t.Fatal(err)
	}
	documented := map[string]bool{}
	for _, op := range slices.Concat(m.ref.Operations, multiwa.Operations) {
		documented[op.Method+" "+anyName(op.Path)] = true
	}
	for _, op := range evolution.Operations {
		documented[op.Method+" "+anyName(op.Path)] = true
		documented[op.Method+" /whatsapp"+anyName(op.Path)] = true
	}
	for _, op := range multiwa.Operations {
		documented[op.Method+" "+anyName(strings.Replace(op.Path, "/api/v1/", "/api/", 1))] = true
	}
	for _, r := range m.p.Components().Router.Routes() {
		if route := r.Method + " " + anyName(r.Path); !documented[route] && !apitest.OfEngineIO(r.Path) {
			m.t.Errorf("%s is not documented, so it has no right", route)
		}
	}
}

// anyName replaces the names of parameters, which gin and OpenAPI write in two ways.
func anyName(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, ":") || strings.HasPrefix(part, "{") || strings.HasPrefix(part, "*") {
			parts[i] = "{}"
		}
	}
	return strings.Join(parts, "/")
}

// served reports whether the program has what the operation serves: the console's files
// are there only when the console was built.
func (m *matrixRun) served(op apitest.Operation) bool {
	folder, inFolder := strings.CutSuffix(op.Path, "/{file}")
	built := m.values["assets/file"] != nil
	if inFolder && folder != "/schemas" || op.Path == "/try" || op.Path == "/licenses.txt" {
		return built
	}
	return true
}

// columns returns the people that an operation tells apart.
func (m *matrixRun) columns(op apitest.Operation) []*person {
	nobody := slices.IndexFunc(m.people, func(p *person) bool { return p.name == "nobody" })
	switch op.Access() {
	case "secret", "appKey": // the request itself carries what is needed
		return m.people[nobody : nobody+1]
	case "anyone":
		return []*person{m.people[0], m.people[nobody], m.people[len(m.people)-1]}
	}
	return m.people
}

// row tries one operation as one person.
func (m *matrixRun) row(s *shape, p *person) {
	m.t.Helper()
	all := func(from string) choice { return func(string) (string, string) { return from, "" } }
	own := m.expect(s, p, alpha, m.send(s, p, alpha, all(alpha)), p.want(s.op, alpha))
	if len(s.order) == 0 || p.refused != 0 && !own.ok() {
		return // there is no object, or the person is refused before it is looked at
	}
	none := m.send(s, p, absent, all(absent))
	if none.ok() && m.nameable(s) {
		m.t.Errorf("%s as %s, on nothing: %s", s.op, p.name, none)
	}
	if own.status == http.StatusNotFound {
		m.same(s, p, "everything of another company", own, none)
	}
	if m.has(s, bravo) {
		theirs := m.expect(s, p, bravo, m.send(s, p, bravo, all(bravo)), p.want(s.op, bravo))
		if theirs.status == http.StatusNotFound {
			m.same(s, p, "everything of the other company", theirs, none)
		}
	}
	m.single(s, p)
	m.special(s, p, own)
}

// nameable reports whether nothing can be named that a POST would not make: the secret, or
// an object of the path.
func (m *matrixRun) nameable(s *shape) bool {
	return strings.HasPrefix(s.order[0], "path ") || s.op.Access() == "secret" || strings.HasPrefix(s.order[0], "query ")
}

func (m *matrixRun) has(s *shape, company string) bool {
	return slices.ContainsFunc(s.order, func(place string) bool { return m.values[s.keys[place]][company] != nil })
}

// expect checks a status and returns the answer.
func (m *matrixRun) expect(s *shape, p *person, company string, got answer, want int) answer {
	m.t.Helper()
	if want == success && !got.ok() || want != success && got.status != want {
		m.t.Errorf("%s (%s) as %s, on what is of %s: %s, want %d", s.op, s.op.Access(), p.name, company, got, want)
	}
	if got.ok() {
		m.succeeded[s.op.String()] = true
	}
	return got
}

// single replaces one object after another by one of the other company, and by one that
// does not exist. The answers are the same.
func (m *matrixRun) single(s *shape, p *person) {
	m.t.Helper()
	for i, place := range s.order {
		values := m.values[s.keys[place]]
		if len(s.order) == 1 || values[bravo] == nil || values[bravo] == values[alpha] || i == 0 && p.knows(bravo) {
			continue // the same as everything, a secret, a word, or a company that is not foreign
		}
		at := func(from string) choice {
			return func(here string) (string, string) {
				if here == place {
					return from, ""
				}
				return alpha, ""
			}
		}
		m.same(s, p, place+" of the other company", m.send(s, p, alpha, at(bravo)), m.send(s, p, alpha, at(absent)))
	}
}

// special tries objects of one's own company that one may not see or change, and the
// person themselves as object.
func (m *matrixRun) special(s *shape, p *person, own answer) {
	m.t.Helper()
	stands := func(keys map[string]string) choice {
		return func(place string) (string, string) { return alpha, keys[place] }
	}
	j := p.jobs[alpha]
	if s.keys["path chatId"] != "" && s.keys["path messageId"] == "" && own.ok() {
		want := success
		if j != nil && j.onlyMine {
			want = http.StatusNotFound
		}
		guarded := stands(map[string]string{"path chatId": "guarded", "body messageId": "of guarded", "body quotedMessageId": "of guarded"})
		m.expect(s, p, "a colleague", m.send(s, p, alpha, guarded), want)
	}
	if s.op.Access() == "author" && own.ok() {
		want := success
		if p.key == nil && !j.manages() || p.key != nil && !p.key.may([]string{crm.KeyManage}) {
			want = http.StatusForbidden
		}
		m.expect(s, p, "another author", m.send(s, p, alpha, stands(map[string]string{"path messageId": "written"})), want)
	}
	if s.op.Access() == "person" && j != nil {
		m.set("self", alpha, p.id)
		m.expect(s, p, "themselves", m.send(s, p, alpha, stands(map[string]string{"path userId": "self"})), success)
	}
}

// same requires two answers to be equal byte for byte. What was made cannot be: it has an
// id of its own.
func (m *matrixRun) same(s *shape, p *person, what string, foreign, none answer) {
	m.t.Helper()
	if foreign.ok() && none.ok() && s.op.Method != http.MethodGet {
		return
	}
	if foreign.status != none.status || foreign.body != none.body || fmt.Sprint(foreign.header) != fmt.Sprint(none.header) {
		m.t.Errorf("%s as %s, %s:\n%s %v\nbut for what does not exist:\n%s %v", s.op, p.name, what, foreign, foreign.header, none, none.header)
	}
}
