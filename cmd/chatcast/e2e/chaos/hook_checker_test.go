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

func rawEvents(joined string) (list []json.RawMessage) {
	_ = json.Unmarshal([]byte("["+joined+"]"), &list)
	return list
}

// whoIsThere is the order of the webhooks about that, whichever node delivers. All others
// have the order in which their node committed them.
const whoIsThere = "who is there"

// hookOrders returns the committed webhooks by what orders them, and what orders each.
func hookOrders(rows []hookRow) (orders map[string][]string, of map[string]string) {
	orders, of = map[string][]string{}, map[string]string{}
	for _, row := range rows {
		for _, raw := range rawEvents(row.events) {
			order := row.by
			if e := parseHook(raw); e.begins || e.ends {
				order = whoIsThere
			}
			orders[order], of[string(raw)] = append(orders[order], string(raw)), order
		}
	}
	return orders, of
}

// checkHooks compares the POSTs that a receiver has got with what was committed: it all
// comes, in order, and again only what came before.
func checkHooks(rows []hookRow, posts [][]string, name string) (list []violation) {
	orders, of := hookOrders(rows)
	got := map[string][][]string{}
	for _, post := range posts {
		parts := map[string][]string{}
		for _, text := range post {
			if of[text] == "" {
				list = append(list, violation{invented, name, text})
			}
			parts[of[text]] = append(parts[of[text]], text)
		}
		for order, part := range parts {
			got[order] = append(got[order], part)
		}
	}
	for _, order := range slices.Sorted(maps.Keys(orders)) {
		list = append(list, checkHookOrder(orders[order], got[order], name)...)
	}
	return list
}

// hookPlace is how the deliveries to a receiver may be understood: it has got all before
// next, and the last one that it got is at.
type hookPlace struct{ next, at int }

// checkHookOrder checks webhooks that have one order. A POST goes on where the earlier ones
// ended, or begins again with something that came before.
func checkHookOrder(want []string, posts [][]string, name string) []violation {
	places := map[hookPlace]bool{{0, -1}: true}
	where := map[string][]int{}
	for at, text := range want {
		where[text] = append(where[text], at)
	}
	for n, post := range posts {
		for i, text := range post {
			after := map[hookPlace]bool{}
			for p := range places {
				for _, at := range where[text] {
					if at == p.at+1 || i == 0 && at <= p.next {
						after[hookPlace{max(p.next, at+1), at}] = true
					}
				}
			}
			if len(after) == 0 {
				expected := "no more"
				if next := furthest(places); next < len(want) {
					expected = want[next]
				}
				return []violation{{disordered, name, fmt.Sprintf("POST %d of %d has %s, where %s comes next", n, len(posts), text, expected)}}
			}
			places = after
		}
	}
	if next := furthest(places); next < len(want) {
		return []violation{{lost, name, fmt.Sprintf("%d of %d webhooks, from %s on", len(want)-next, len(want), want[next])}}
	}
	return nil
}

func furthest(places map[hookPlace]bool) (next int) {
	for p := range places {
		next = max(next, p.next)
	}
	return next
}

// hook is a webhook about a channel or a member.
type hook struct {
	key          [2]string // the channel and the user
	begins, ends bool
}

// parseHook returns the zero hook for webhooks about something else.
func parseHook(raw json.RawMessage) (h hook) {
	var e struct {
		Name, Channel string
		UserID        string `json:"user_id"`
	}
	_ = json.Unmarshal(raw, &e)
	h.key = [2]string{e.Channel, e.UserID}
	h.begins = e.Name == "channel_occupied" || e.Name == "member_added"
	h.ends = e.Name == "channel_vacated" || e.Name == "member_removed"
	return h
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
			e := parseHook(raw)
			if !e.begins && !e.ends {
				continue
			}
			if now[e.key] == e.begins {
				list = append(list, violation{memberTwice, "webhooks", string(raw)})
			}
			if now[e.key] = e.begins; e.ends {
				delete(now, e.key)
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
