package broadcasting

import "container/list"

const (
	replayGroup = 64  // subscribers that share a read
	replayLook  = 256 // how many are looked at for a group
)

// dueReplays holds the replays that are due for a turn, and those that wait until their
// socket has room. Its methods need the mutex of replays, and none of them takes longer when
// more replays are due.
type dueReplays struct {
	people     map[string]*reader
	mostPeople int                  // see drop
	turns      list.List            // of *reader: those of people, the next one first
	places     map[place]*list.List // of *replay: those that are due and may share a read, in order of arrival
	mostPlaces int                  // see drop
}

// reader is a person with replays that are due.
type reader struct {
	name string
	due  list.List     // of *replay; not empty
	turn *list.Element // in turns
}

// place is a part of a channel's journal. Replays in one place are near each other.
type place struct {
	ch   *channel
	page int64 // the position divided by replayPage
}

// dueAt is where a replay stands in dueReplays; guarded by the mutex of replays.
type dueAt struct {
	left    bool          // the subscription has ended: it is never due again
	due     *list.Element // in reader.due; nil: it is not due
	sharing *list.Element // in places; nil: it is not due, or shares no read
	place   place         // of sharing
	waiting *list.Element // in Conn.waiting; nil: it does not wait for room
}

// push makes r due, unless it has left or is due already.
func (d *dueReplays) push(r *replay) {
	if r.at.left || r.at.due != nil {
		return
	}
	if d.people == nil {
		d.people, d.places = map[string]*reader{}, map[place]*list.List{}
	}
	who := d.people[r.reader]
	if who == nil {
		who = &reader{name: r.reader}
		who.turn = d.turns.PushBack(who)
		d.people[r.reader] = who
	}
	r.at.due = who.due.PushBack(r)
	if r.alone {
		return
	}
	r.at.place = place{r.s.ch, r.has / replayPage}
	near := d.places[r.at.place]
	if near == nil {
		near = new(list.List)
		d.places[r.at.place] = near
	}
	r.at.sharing = near.PushBack(r)
}

// pull makes r no longer due.
func (d *dueReplays) pull(r *replay) {
	if r.at.due == nil {
		return
	}
	who := d.people[r.reader]
	who.due.Remove(r.at.due)
	r.at.due = nil
	if who.due.Len() == 0 {
		d.turns.Remove(who.turn)
		drop(&d.people, &d.mostPeople, who.name)
	}
	if r.at.sharing == nil {
		return
	}
	near := d.places[r.at.place]
	near.Remove(r.at.sharing)
	r.at.sharing = nil
	if near.Len() == 0 {
		drop(&d.places, &d.mostPlaces, r.at.place)
	}
}

// next pulls the first replay of the person whose turn it is, with others of its channel
// that are near it. It returns nil when none is due.
func (d *dueReplays) next() (group []*replay) {
	turn := d.turns.Front()
	if turn == nil {
		return nil
	}
	d.turns.MoveToBack(turn)
	first := turn.Value.(*reader).due.Front().Value.(*replay)
	d.pull(first)
	group = append(group, first)
	if first.alone {
		return group
	}
	look := replayLook
	for _, page := range [...]int64{0, -1, 1} {
		near := d.places[place{first.s.ch, first.has/replayPage + page}]
		if near == nil {
			continue
		}
		for e := near.Front(); e != nil && look > 0 && len(group) < replayGroup; look-- {
			r := e.Value.(*replay)
			e = e.Next() // before r is pulled
			if first.near(r) {
				d.pull(r)
				group = append(group, r)
			}
		}
	}
	return group
}

// near reports whether one page may serve both. 0 stands for the oldest event that is kept,
// so a read from there says nothing about others.
func (r *replay) near(other *replay) bool {
	distance := other.has - r.has
	return (r.has == 0) == (other.has == 0) && -replayPage <= distance && distance <= replayPage
}

// leave forgets r, whose subscription has ended.
func (d *dueReplays) leave(r *replay) {
	d.pull(r)
	r.at.left = true
	if r.at.waiting != nil {
		r.s.conn.waiting.Remove(r.at.waiting)
		r.at.waiting = nil
	}
}
