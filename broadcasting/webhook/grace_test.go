package webhook_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"chatcast/broadcasting"
	"chatcast/broadcasting/apps"
	"chatcast/broadcasting/webhook"
)

// step is an event at a time after the start.
type step struct {
	at time.Duration
	h  broadcasting.ChannelEvent
}

const ms = time.Millisecond

// An end waits for three seconds, and a return in that time suppresses both.
func TestGrace(t *testing.T) {
	for name, c := range map[string]struct {
		steps []step
		want  string // time in seconds, event
	}{
		"stays away": {[]step{{0, occupied("a")}, {1000 * ms, vacated("a")}}, "0 channel_occupied a, 4 channel_vacated a"},
		"returns":    {[]step{{0, occupied("a")}, {1000 * ms, vacated("a")}, {3900 * ms, occupied("a")}}, "0 channel_occupied a"},
		"returns too late": {[]step{{0, occupied("a")}, {1000 * ms, vacated("a")}, {4100 * ms, occupied("a")}},
			"0 channel_occupied a, 4 channel_vacated a, 4 channel_occupied a"},
		"returns and goes for good": {[]step{{0, occupied("a")}, {1000 * ms, vacated("a")}, {2000 * ms, occupied("a")}, {3000 * ms, vacated("a")}},
			"0 channel_occupied a, 6 channel_vacated a"},
		"flaps": {[]step{{0, occupied("a")}, {0, vacated("a")}, {0, occupied("a")}, {0, vacated("a")}, {0, occupied("a")}, {0, vacated("a")}},
			"0 channel_occupied a, 3 channel_vacated a"},
		"per user": {[]step{
			{0, occupied("presence-a")}, {0, added("presence-a", "1")}, {0, added("presence-a", "2")},
			{1000 * ms, removed("presence-a", "1")}, {1000 * ms, removed("presence-a", "2")}, {2000 * ms, added("presence-a", "2")},
		}, "0 channel_occupied presence-a, 0 member_added presence-a 1, 0 member_added presence-a 2, 4 member_removed presence-a 1"},
		"the last member goes, another comes": {[]step{
			{0, occupied("presence-a")}, {0, added("presence-a", "1")}, {1000 * ms, removed("presence-a", "1")}, {1000 * ms, vacated("presence-a")},
			{2000 * ms, occupied("presence-a")}, {2000 * ms, added("presence-a", "2")},
		}, "0 channel_occupied presence-a, 0 member_added presence-a 1, 2 member_added presence-a 2, 4 member_removed presence-a 1"},
		"member before channel, also after a return": {[]step{
			{0, occupied("presence-a")}, {0, added("presence-a", "1")}, {0, removed("presence-a", "1")}, {1000 * ms, added("presence-a", "1")},
			{2000 * ms, removed("presence-a", "1")}, {2000 * ms, vacated("presence-a")},
		}, "0 channel_occupied presence-a, 0 member_added presence-a 1, 5 member_removed presence-a 1, 5 channel_vacated presence-a"},
		"others do not wait": {[]step{{0, occupied("a")}, {1000 * ms, vacated("a")}, {1500 * ms, missed("cache-b")}, {1500 * ms, occupied("c")}},
			"0 channel_occupied a, 1 cache_miss cache-b, 1 channel_occupied c, 4 channel_vacated a"},
		"the same user elsewhere is another": {[]step{
			{0, added("presence-a", "1")}, {0, removed("presence-a", "1")}, {1000 * ms, added("presence-b", "1")},
		}, "0 member_added presence-a 1, 1 member_added presence-b 1, 3 member_removed presence-a 1"},
		"came before anybody wanted to know": {[]step{{0, vacated("a")}, {0, vacated("b")}, {1000 * ms, occupied("b")}}, "3 channel_vacated a"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, store, begin := newReceiver(t), &memory{}, time.Now()
				h := start(t, webhook.Options{Store: store, Apps: app(to("http://r/")), Transport: r})
				var got []string
				look := func(until time.Duration) {
					for time.Since(begin) < until {
						time.Sleep(50 * ms)
						synctest.Wait()
						for _, l := range r.lines()[len(got):] {
							got = append(got, fmt.Sprintf("%d %s", int(time.Since(begin).Seconds()), l))
						}
					}
				}
				for _, s := range c.steps {
					look(s.at)
					h.Record(s.h)
				}
				look(20 * time.Second)
				if !slices.Equal(got, strings.Split(c.want, ", ")) {
					t.Errorf("told\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.ReplaceAll(c.want, ", ", "\n  "))
				}
				h.stop()
				if rows, told := store.Left(); rows != 0 || told != strings.Count(c.want, "occupied")+strings.Count(c.want, "added")-strings.Count(c.want, "vacated")-strings.Count(c.want, "removed") && !strings.HasPrefix(name, "came before") {
					t.Errorf("%d deliveries and %d told are left", rows, told)
				}
			})
		})
	}
}

// A subject that was reported before a restart is not reported again. It has longer to
// return, and its end is reported if it does not.
func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, store := newReceiver(t), &memory{}
		o := webhook.Options{Store: store, Apps: app(to("http://r/")), Transport: r}
		h := start(t, o)
		h.Record(occupied("presence-a"))
		for _, user := range []string{"1", "2", "3"} {
			h.Record(added("presence-a", user))
		}
		h.Record(occupied("presence-b"))
		h.Record(added("presence-b", "1"))
		h.Record(occupied("c"))
		h.Record(vacated("c")) // the process ends within the grace
		time.Sleep(time.Second)
		want := []string{
			"channel_occupied presence-a", "member_added presence-a 1", "member_added presence-a 2", "member_added presence-a 3",
			"channel_occupied presence-b", "member_added presence-b 1", "channel_occupied c",
		}
		r.exactly(want...)
		h.Stopping()
		for _, ev := range []broadcasting.ChannelEvent{removed("presence-a", "1"), removed("presence-a", "2"), vacated("presence-a"), removed("presence-b", "1"), vacated("presence-b")} {
			h.Record(ev) // the sockets are closed
		}
		time.Sleep(5 * time.Second) // which takes longer than the grace
		h.stop()
		r.exactly(want...)

		h = start(t, o)
		h.Record(occupied("presence-a"))
		h.Record(added("presence-a", "1"))
		time.Sleep(85 * time.Second) // pusher-js has waited for 15 s, 30 s and part of 60 s
		h.Record(added("presence-a", "3"))
		r.exactly(want...)
		time.Sleep(8 * time.Second)
		synctest.Wait()
		got := r.lines()[len(want):]
		member, channel := slices.Index(got, "member_removed presence-b 1"), slices.Index(got, "channel_vacated presence-b")
		slices.Sort(got)
		if !slices.Equal(got, []string{"channel_vacated c", "channel_vacated presence-b", "member_removed presence-a 2", "member_removed presence-b 1"}) || member > channel {
			t.Errorf("after the restart was told %q", got)
		}
		h.Record(removed("presence-a", "1"))
		time.Sleep(4 * time.Second)
		if l := r.lines(); l[len(l)-1] != "member_removed presence-a 1" {
			t.Errorf("who returned and went was told as %q", l[len(l)-1])
		}
	})
}

// Subjects that no endpoint wants are not kept, and are forgotten when the settings
// change.
func TestOnlyWhatIsWantedIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, store := newReceiver(t), &memory{}
		members := apps.Webhook{URL: "http://r/", Events: []string{"member_removed"}, Channels: []string{"presence-"}}
		h := start(t, webhook.Options{Store: store, Apps: app(members), Transport: r})
		settle := func(want int) {
			t.Helper()
			time.Sleep(time.Second)
			synctest.Wait()
			if _, told := store.Left(); told != want {
				t.Fatalf("%d subjects are kept, want %d", told, want)
			}
		}
		h.Record(occupied("presence-a"))
		h.Record(added("presence-a", "1"))
		h.Record(added("private-a", "1"))
		settle(1)
		if err := h.Set(app(apps.Webhook{URL: "http://r/", Events: []string{"channel_vacated"}})); err != nil {
			t.Fatal(err)
		}
		settle(0)
		h.Record(occupied("b"))
		settle(1)
		if err := h.Set(nil); err != nil {
			t.Fatal(err)
		}
		settle(0)
		h.Record(vacated("b"))
		settle(0)
		r.exactly()
	})
}
