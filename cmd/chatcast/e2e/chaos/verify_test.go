package chaos

import (
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"chatcast/channels/testwait"
)

// presenceBound is within which the nodes must agree: a lease of 6 s, the beat that renews
// it, a round, and what a busy machine takes.
var presenceBound = 8*time.Second + testwait.Scaled(2*time.Second)

// settle waits until everyone has what was committed, as long as they go on: a receiver
// that refuses events gets them more slowly than they are written.
func (w *world) settle() {
	w.t.Helper()
	w.beCalm()
	w.writing.Wait()
	w.journal = w.read()
	behind := func() (who []string) {
		for _, c := range w.clients {
			if want := ofChannel(w.journal, c.stream.channel); c.stream.resumes && c.at() < want[len(want)-1] {
				who = append(who, fmt.Sprintf("%s is at %d of %d", c.stream.name, c.at(), want[len(want)-1]))
			}
		}
		for _, p := range w.pages {
			if want := ofChannel(w.journal, p.stream.channel); p.at() < want[len(want)-1] {
				who = append(who, fmt.Sprintf("%s is at %d of %d", p.stream.name, p.at(), want[len(want)-1]))
			}
		}
		for _, r := range w.receivers[:2] {
			if want := ofChannel(w.journal, r.channel); r.highest() < want[len(want)-1] {
				who = append(who, fmt.Sprintf("%s is at %d of %d", r.name, r.highest(), want[len(want)-1]))
			}
		}
		return who
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	who, end := behind(), time.Now().Add(patience)
	for ; len(who) > 0 && time.Now().Before(end); <-tick.C {
		if now := behind(); !slices.Equal(now, who) { // somebody goes on
			who, end = now, time.Now().Add(patience)
		}
	}
	for _, who := range who {
		w.report(violation{lost, who, fmt.Sprintf("nobody has gone on for %v", patience)})
	}
	w.settleMembers(tick.C)
	w.settleHooks(tick.C)
	w.journal = w.read()
}

// settleMembers waits until all members are there, and shown everywhere.
func (w *world) settleMembers(tick <-chan time.Time) {
	end := time.Now().Add(presenceBound + activityTimeout + pongTimeout)
	for {
		wrong := ""
		for _, m := range w.members {
			if shown, there := m.shown(); !there || len(shown) != len(w.members) {
				wrong = fmt.Sprintf("%s is there: %v, and shown %d of %d members", m.user, there, len(shown), len(w.members))
			}
		}
		if wrong == "" {
			return
		}
		if time.Now().After(end) {
			w.report(violation{missing, "at the end", wrong})
			return
		}
		<-tick
	}
}

// verify checks everything.
func (w *world) verify() {
	var streams []stream
	for _, c := range w.clients {
		streams = append(streams, c.received())
	}
	for _, p := range w.pages {
		streams = append(streams, p.received())
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.violations = append(w.violations, checkJournal(w.journal, w.acknowledged, w.answers)...)
	for _, s := range streams {
		w.violations = append(w.violations, checkStream(w.journal, &s)...)
	}
	for _, r := range w.receivers[:2] {
		w.violations = append(w.violations, checkReceiver(w.journal, r.name, r.channel, w.begin, r.got())...)
	}
	_, list := tell(w.hooks)
	w.violations = append(w.violations, list...)
	w.violations = append(w.violations, checkHooks(w.hooks, w.receivers[2].posted(), w.receivers[2].name)...)
	w.violations = append(w.violations, w.receivers[2].forged()...)
	run := presenceRun{disturbances: w.disturbances, bound: presenceBound, keepalive: activityTimeout + pongTimeout + 2*time.Second}
	for _, m := range w.members {
		sockets, observers := m.record()
		run.sockets = append(run.sockets, sockets...)
		run.observers = append(run.observers, observers...)
	}
	list, w.slowestGhost = run.check()
	w.violations = append(w.violations, list...)
}

// read reads the journal from the database.
func (w *world) read() (journal []entry) {
	w.t.Helper()
	conn, err := pgx.Connect(w.t.Context(), w.database)
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close(w.t.Context())
	wait := time.NewTicker(50 * time.Millisecond)
	defer wait.Stop()
	for end := time.Now().Add(patience); ; <-wait.C { // until all have numbers
		var open int
		if err := conn.QueryRow(w.t.Context(), "SELECT count(*) FROM journal WHERE seq IS NULL").Scan(&open); err != nil {
			w.t.Fatal(err)
		}
		if open == 0 {
			break
		}
		if time.Now().After(end) {
			w.report(violation{numbering, "journal", fmt.Sprintf("%d entries get no number", open)})
			break
		}
	}
	rows, err := conn.Query(w.t.Context(), `
		SELECT seq, ARRAY(SELECT json_array_elements_text(channels::json)),
			CASE WHEN name = 'message' THEN COALESCE(data::json #>> '{payload,data,0,id}', '') ELSE '' END
		FROM journal WHERE seq IS NOT NULL ORDER BY seq`)
	if err != nil {
		w.t.Fatal(err)
	}
	journal, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (e entry, err error) {
		return e, row.Scan(&e.seq, &e.channels, &e.message)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return journal
}
