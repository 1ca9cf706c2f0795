package chaos

import (
	"slices"
	"testing"
	"time"
)

// kinds returns the kinds of violations, each once.
func kinds(list []violation) (found []string) {
	for _, v := range list {
		if !slices.Contains(found, v.kind) {
			found = append(found, v.kind)
		}
	}
	slices.Sort(found)
	return found
}

func expect(t *testing.T, what string, list []violation, want ...string) {
	t.Helper()
	if got := kinds(list); !slices.Equal(got, want) {
		t.Errorf("%s: the checker finds %v, want %q", what, list, want)
	}
}

// journalOf returns a journal with these events of a channel, and others between them.
func journalOf(ids ...int64) (journal []entry) {
	for seq := int64(1); seq <= ids[len(ids)-1]; seq++ {
		e := entry{seq: seq, channels: []string{"other"}}
		if slices.Contains(ids, seq) {
			e.channels = []string{"line", "other"}
		}
		journal = append(journal, e)
	}
	return journal
}

func TestCheckerOfStreams(t *testing.T) {
	journal := journalOf(2, 3, 5, 8, 9)
	for what, c := range map[string]struct {
		resumes bool
		sockets [][]int64
		want    []string
	}{
		"all, on two sockets":                 {true, [][]int64{{2, 3}, {5, 8, 9}}, nil},
		"one is lost between sockets":         {true, [][]int64{{2, 3}, {8, 9}}, []string{lost}},
		"the last one is lost":                {true, [][]int64{{2, 3, 5, 8}}, []string{lost}},
		"one is sent again":                   {true, [][]int64{{2, 3, 5}, {5, 8, 9}}, []string{doubled}},
		"two change places":                   {true, [][]int64{{2, 5, 3, 8, 9}}, []string{disordered}},
		"one is of no commit":                 {true, [][]int64{{2, 3, 4, 5, 8, 9}}, []string{invented}},
		"a client that does not resume":       {false, [][]int64{{2, 3}, {8, 9}, {}}, nil},
		"it misses one on a socket":           {false, [][]int64{{2, 5, 8}}, []string{lost}},
		"it gets one twice on a socket":       {false, [][]int64{{2, 3, 3, 5}}, []string{doubled}},
		"it gets them in another order":       {false, [][]int64{{3, 2, 5}}, []string{disordered}},
		"what was before the beginning":       {true, [][]int64{{2, 3, 5, 8, 9}}, []string{doubled}},
		"nothing came":                        {true, nil, []string{lost}},
		"it does not resume, and has nothing": {false, nil, nil},
	} {
		s := &stream{name: what, channel: "line", resumes: c.resumes, sockets: c.sockets}
		if what == "what was before the beginning" {
			s.begin = 2
		}
		expect(t, what, checkStream(journal, s), c.want...)
	}
}

func TestCheckerOfReceivers(t *testing.T) {
	journal := journalOf(2, 3, 5, 8)
	for what, c := range map[string]struct {
		got  []int64
		want []string
	}{
		"all":                              {[]int64{2, 3, 5, 8}, nil},
		"again after a death":              {[]int64{2, 3, 5, 3, 5, 8}, nil},
		"one is missing":                   {[]int64{2, 3, 8}, []string{lost, disordered}},
		"the last one is missing":          {[]int64{2, 3, 5}, []string{lost}},
		"one comes before those before it": {[]int64{2, 5, 3, 8}, []string{disordered}},
		"one is of no commit":              {[]int64{2, 3, 4, 5, 8}, []string{invented}},
	} {
		expect(t, what, checkReceiver(journal, what, "line", 0, c.got), c.want...)
	}
}

func TestCheckerOfWebhooks(t *testing.T) {
	added, removed := `{"name":"member_added","channel":"c","user_id":"u"}`, `{"name":"member_removed","channel":"c","user_id":"u"}`
	occupied := `{"name":"channel_occupied","channel":"c"}`
	rows := []hookRow{{"a", 1, occupied + "," + added}, {"a", 2, removed}, {"b", 3, added}}
	for what, c := range map[string]struct {
		posts [][]string
		want  []string
	}{
		"all":                              {[][]string{{occupied, added}, {removed}, {added}}, nil},
		"all, in one POST":                 {[][]string{{occupied, added, removed, added}}, nil},
		"again after a death":              {[][]string{{occupied, added}, {occupied, added, removed}, {added}}, nil},
		"again at the end":                 {[][]string{{occupied, added}, {removed, added}, {removed, added}}, nil},
		"one is missing":                   {[][]string{{occupied, added}, {added}}, []string{lost}},
		"the last one is missing":          {[][]string{{occupied, added}, {removed}}, []string{lost}},
		"nothing came":                     {nil, []string{lost}},
		"one comes before those before it": {[][]string{{occupied}, {removed}, {added}}, []string{disordered}},
		"one is left out in a POST":        {[][]string{{occupied, removed}, {added}}, []string{disordered}},
		"one is of no commit":              {[][]string{{occupied, added}, {"{}"}, {removed, added}}, []string{invented}},
	} {
		expect(t, what, checkHooks(rows, c.posts, what), c.want...)
	}
	said := func(what string) string { return `{"name":"client_event","data":"` + what + `"}` }
	rows = append(rows, hookRow{"a", 5, said("1")}, hookRow{"b", 5, said("2")}, hookRow{"a", 6, said("3")})
	all := []string{occupied, added, removed, added}
	for what, c := range map[string]struct {
		posts [][]string
		want  []string
	}{
		"what was said on the other node comes later": {[][]string{all, {said("1"), said("3")}, {said("2")}}, nil},
		"it is missing": {[][]string{all, {said("1"), said("3")}}, []string{lost}},
		"what was said on one node changes places": {[][]string{all, {said("3"), said("1")}, {said("2")}}, []string{disordered}},
	} {
		expect(t, what, checkHooks(rows, c.posts, what), c.want...)
	}
	rows = rows[:3]
	now, list := tell(rows)
	expect(t, "each says something new", list)
	if len(now) != 2 || !now[[2]string{"c", "u"}] || !now[[2]string{"c", ""}] {
		t.Errorf("the webhooks say that there are %v", now)
	}
	_, list = tell(append(rows, rows[2]))
	expect(t, "a commit is made again", list)
	_, list = tell(append(rows, hookRow{"b", 4, added}))
	expect(t, "a member is added twice", list, memberTwice)
	_, list = tell([]hookRow{{"a", 1, removed}})
	expect(t, "a member is removed who was not there", list, memberTwice)
}

func TestCheckerOfTheJournal(t *testing.T) {
	journal := []entry{{seq: 1, message: "a"}, {seq: 2, message: "b"}, {seq: 4, message: "b"}}
	now := time.Now()
	expect(t, "a gap", checkJournal(journal, nil, nil), numbering)
	expect(t, "all are there", checkJournal(journal[:2], map[string]time.Time{"a": now, "b": now}, nil))
	expect(t, "one is not there", checkJournal(journal[:2], map[string]time.Time{"c": now}, nil), uncommitted)
	expect(t, "one is there twice", checkJournal([]entry{{seq: 1, message: "a"}, {seq: 2, message: "a"}}, map[string]time.Time{"a": now}, nil), uncommitted)
}

func TestCheckerOfPresence(t *testing.T) {
	began := time.Unix(1_000_000, 0)
	at := func(s int) time.Time { return began.Add(time.Duration(s) * time.Second) }
	// A user on node 0 from 10 to 30, whom somebody on node 1 sees from 0 to 100.
	user := presenceSocket{user: "u", node: 0, asked: at(10), joined: at(10), left: at(30)}
	came, went := memberChange{at(10), "u", true}, func(s int) memberChange { return memberChange{at(s), "u", false} }
	for what, c := range map[string]struct {
		changes      []memberChange
		limbo        time.Time
		disturbances []disturbance
		want         []string
	}{
		"as it is":                      {[]memberChange{came, went(30)}, time.Time{}, nil, nil},
		"within the bound":              {[]memberChange{came, went(39)}, time.Time{}, nil, nil},
		"beyond it":                     {[]memberChange{came, went(41)}, time.Time{}, nil, []string{ghost}},
		"never gone":                    {[]memberChange{came}, time.Time{}, nil, []string{ghost}},
		"never there":                   {nil, time.Time{}, nil, []string{missing}},
		"gone too early":                {[]memberChange{came, went(15)}, time.Time{}, nil, []string{missing}},
		"gone twice":                    {[]memberChange{came, went(30), went(31)}, time.Time{}, nil, []string{memberTwice}},
		"there twice":                   {[]memberChange{came, came, went(30)}, time.Time{}, nil, []string{memberTwice}},
		"half-open from 20 on":          {[]memberChange{came, went(45)}, at(20), nil, nil},
		"half-open, and beyond it":      {[]memberChange{came, went(51)}, at(20), nil, []string{ghost}},
		"its node was killed at 15":     {[]memberChange{came, went(22)}, time.Time{}, []disturbance{{0, kill, span{at(15), at(60)}}}, nil},
		"killed, and shown on and on":   {[]memberChange{came, went(29)}, time.Time{}, []disturbance{{0, kill, span{at(15), at(60)}}}, []string{ghost}},
		"stopped, and shown on and on":  {[]memberChange{came, went(28)}, time.Time{}, []disturbance{{0, stop, span{at(15), at(29)}}}, []string{ghost}},
		"the database was away":         {[]memberChange{came, went(60)}, time.Time{}, []disturbance{{-1, crash, span{at(29), at(51)}}}, nil},
		"whoever sees it was disturbed": {[]memberChange{came, went(60)}, time.Time{}, []disturbance{{1, stop, span{at(29), at(51)}}}, nil},
	} {
		s := user
		s.limbo = c.limbo
		run := &presenceRun{
			sockets: []presenceSocket{s}, disturbances: c.disturbances, bound: 10 * time.Second, keepalive: 10 * time.Second,
			observers: []observer{{name: what, node: 1, from: began, to: at(100), changes: c.changes}},
		}
		list, _ := run.check()
		expect(t, what, list, c.want...)
	}
}

// A seed has one schedule, in which a node is always left alone, and Redis is down once at a
// time.
func TestSchedule(t *testing.T) {
	for seed := range uint64(20) {
		plans := schedule(seed, 10*time.Minute, "redis")
		if !slices.Equal(plans, schedule(seed, 10*time.Minute, "redis")) {
			t.Fatalf("the seed %d has two schedules", seed)
		}
		if slices.Equal(plans, schedule(seed+1, 10*time.Minute, "redis")) {
			t.Errorf("the seeds %d and %d have one schedule", seed, seed+1)
		}
		for _, p := range plans {
			busy := map[int]bool{}
			for _, other := range plans {
				if p.what == redis && other.what == redis && other.at < p.at && p.at <= other.at+other.lasts {
					t.Errorf("at %v Redis is down already with the seed %d", p.at, seed)
				}
				if other.at <= p.at && p.at < other.at+other.lasts && slices.Contains([]fault{kill, stop, restart, cutOff, hang}, other.what) {
					busy[other.node] = true
				}
			}
			if len(busy) == nodeCount {
				t.Errorf("at %v no node is left alone with the seed %d", p.at, seed)
			}
		}
	}
}
