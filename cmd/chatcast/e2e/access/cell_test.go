package access_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"chatcast/crm"
)

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) String() string { return fmt.Sprintf("%d %.300s", a.status, a.body) }

func (a answer) ok() bool { return a.status < 300 }

// send sends one cell. After a success that may have changed something the objects are
// restored.
func (m *matrixRun) send(s *shape, p *person, company string, choose choice) answer {
	m.t.Helper()
	prepared := m.prepare(s.op, p, company)
	r := m.request(s, p, choose)
	if s.op.Responses.Value("101") != nil {
		for k, v := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
			r.Header.Set(k, v)
		}
	}
	m.cells++
	res, err := m.client.Do(r)
	if err != nil {
		m.t.Fatalf("%s as %s: %v", s.op, p.name, err)
	}
	defer res.Body.Close()
	a := answer{status: res.StatusCode, header: res.Header}
	if res.StatusCode == http.StatusSwitchingProtocols {
		a.status = http.StatusOK
	} else {
		a.body = m.read(s, res)
	}
	a.header.Del("Date")
	m.leaks(s, p, a)
	if pairs := slices.Contains(s.op.Events(), "messengerStatus"); prepared || a.ok() && (r.Method != http.MethodGet && r.Method != http.MethodHead || pairs) {
		if pairs && (prepared || a.ok()) {
			m.disconnect(company)
		}
		began := time.Now()
		m.saved.restore(m.t)
		m.restoring += time.Since(began)
	}
	return a
}

// read reads an answer: a stream has no end, so its first line is enough.
func (m *matrixRun) read(s *shape, res *http.Response) string {
	if strings.Contains(s.op.Path, "xhr") && res.StatusCode == http.StatusOK {
		first := make([]byte, 1)
		_, _ = res.Body.Read(first)
		return string(first)
	}
	var b bytes.Buffer
	if _, err := io.Copy(&b, res.Body); err != nil {
		m.t.Errorf("%s: %v", s.op, err)
	}
	return b.String()
}

// leaks looks for names of objects that the person may not see.
func (m *matrixRun) leaks(s *shape, p *person, a answer) {
	m.t.Helper()
	if s.op.Access() == "secret" {
		return
	}
	seen := func(text string, may bool) {
		if !may && strings.Contains(a.body, text) {
			m.t.Errorf("%s tells %s of %q: %s", s.op, p.name, text, a)
		}
	}
	for _, company := range []string{alpha, bravo} {
		j := p.jobs[company]
		in := p.knows(company) && p.refused == 0
		reads := in && (p.key != nil && p.key.may([]string{crm.KeyRead}) || p.key == nil && (j.manages() || j.read))
		onlyMine := j != nil && j.onlyMine
		seen(company+" ", in || p.enrolling && company == alpha) // Me names the company
		seen(company+" customer", reads)
		seen("words of "+company, reads && !onlyMine)
		seen("guarded customer of "+company, reads && !onlyMine)
	}
}
