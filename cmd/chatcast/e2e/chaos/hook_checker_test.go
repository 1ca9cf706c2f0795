package chaos

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// hookRow is a delivery of Pusher's webhooks, as a node has committed it.
type hookRow struct {
	by      string // the node's name
	created int64  // unix milliseconds
	events  string // JSON objects, joined with commas
}

// hookTexts returns the events of all rows.
func hookTexts(rows []hookRow) (texts []string) {
	for _, row := range rows {
		for _, raw := range rawEvents(row.events) {
			texts = append(texts, string(raw))
		}
	}
	return texts
}

func rawEvents(joined string) (list []json.RawMessage) {
	_ = json.Unmarshal([]byte("["+joined+"]"), &list)
	return list
}

// hookPlace is how the deliveries to a receiver may be understood: it has got all before
// next, and the last one that it got is at.
type hookPlace struct{ next, at int }

// checkHooks compares the POSTs that a receiver has got with what was committed. Each has
// events in their order. A later one goes on where the earlier ones ended, or begins again
// with something that came before. All events come.
func checkHooks(rows []hookRow, posts [][]string, name string) (list []violation) {
	want := hookTexts(rows)
	places := map[hookPlace]bool{{0, -1}: true}
	for n, post := range posts {
		for i, text := range post {
			after := map[hookPlace]bool{}
			for p := range places {
				if p.at+1 < len(want) && p.at+1 <= p.next && want[p.at+1] == text {
					after[hookPlace{max(p.next, p.at+2), p.at + 1}] = true
				}
				for at := 0; i == 0 && at <= min(p.next, len(want)-1); at++ {
					if want[at] == text {
						after[hookPlace{max(p.next, at+1), at}] = true
					}
				}
			}
			if len(after) == 0 {
				return append(list, misplaced(want, text, name, n, furthest(places)))
			}
			places = after
		}
	}
	if next := furthest(places); next < len(want) {
		list = append(list, violation{lost, name, fmt.Sprintf("%d of %d webhooks, from %s on", len(want)-next, len(want), want[next])})
	}
	return list
}

func misplaced(want []string, text, name string, post, next int) violation {
	if !slices.Contains(want, text) {
		return violation{invented, name, text}
	}
	expected := "no more"
	if next < len(want) {
		expected = want[next]
	}
	return violation{disordered, name, fmt.Sprintf("POST %d has %s, where %s comes next", post, text, expected)}
}

func furthest(places map[hookPlace]bool) (next int) {
	for p := range places {
		next = max(next, p.next)
	}
	return next
}

// told is what the webhooks of an app say of who is there, by channel and user. A
// channel's own user is empty.
type told map[[2]string]bool

// tell returns what the committed webhooks say in the end, and each that says what was
// said before. A commit whose answer was lost is made again, and is no violation.
func tell(rows []hookRow) (now told, list []violation) {
	now = told{}
	committed := map[hookRow]bool{}
	for _, row := range rows {
		if committed[row] {
			continue
		}
		committed[row] = true
		for _, raw := range rawEvents(row.events) {
			var e struct{ Name, Channel string }
			var user struct {
				ID string `json:"user_id"`
			}
			if json.Unmarshal(raw, &e) != nil || json.Unmarshal(raw, &user) != nil {
				list = append(list, violation{failed, "webhooks", string(raw)})
				continue
			}
			begins := e.Name == "channel_occupied" || e.Name == "member_added"
			if !begins && e.Name != "channel_vacated" && e.Name != "member_removed" {
				continue
			}
			key := [2]string{e.Channel, user.ID}
			if now[key] == begins {
				list = append(list, violation{memberTwice, "webhooks", string(raw)})
			}
			if now[key] = begins; !begins {
				delete(now, key)
			}
		}
	}
	return now, list
}

// String says who is there.
func (t told) String() string {
	var names []string
	for key := range maps.Keys(t) {
		names = append(names, strings.TrimPrefix(key[0]+"/"+key[1], presenceChannel+"/"))
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}
