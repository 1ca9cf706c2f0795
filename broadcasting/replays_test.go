package broadcasting_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Sockets of one channel that come back at once, with positions that are near each other,
// share reads, and each gets its own part.
func TestResumeSharesReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, b := resuming(t)
		const sockets, missed = 500, 100
		b.fill(crmLine, missed)
		boxes, afters := make([]*mailbox, sockets), make([]int, sockets)
		b.onRead(func(context.Context) error { time.Sleep(time.Second); return nil })
		for i := range boxes {
			boxes[i], afters[i] = connect(t, e, "1", strconv.Itoa(i), words("")), rand.IntN(missed)
			resume(t, e, boxes[i], crmLine, int64(afters[i]))
		}
		ahead := connect(t, e, "1", "ahead", words(""))
		resume(t, e, ahead, crmLine, missed+50)
		time.Sleep(time.Minute)
		for i, m := range boxes {
			checkOrder(t, m.id, m.take(), afters[i], missed)
			m.Close()
		}
		expect(t, ahead, "in "+crmLine, fmt.Sprint("failed ", crmLine, " 1 ", missed), position(missed))
		publish(t, e, b.write(crmLine))
		expect(t, ahead, numbered(missed+1, missed+1)...)
		if b.reads > 30 {
			t.Errorf("%d reads for %d sockets", b.reads, sockets)
		}
	})
}

// Who resumes many channels at once keeps nobody else waiting.
func TestResumeTakesTurnsByPerson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, b := resuming(t)
		b.fill(crmLine, 1)
		many := connect(t, e, "1", "many", words(""))
		b.onRead(func(context.Context) error { time.Sleep(time.Second); return nil })
		for i := range 40 {
			channel := fmt.Sprint("private-", i)
			b.fill(channel, 500) // a page
			resume(t, e, many, channel, 0)
		}
		synctest.Wait()
		other := connect(t, e, "1", "other", words(""))
		grant(t, e, "1", "other", crmLine, "C")
		w := want(t, crmLine)
		w.NeedsGrant, w.Resume = true, true
		if err := other.Subscribe(context.Background(), w); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2500 * time.Millisecond) // the reads that are under way, and its own
		expect(t, other, append([]string{"in " + crmLine}, append(numbered(1, 1), "position "+crmLine+" 20001")...)...)
		time.Sleep(time.Minute)
		if st := e.Stats(); st.Resumed != 41 || st.Replayed != 40*500+1 {
			t.Errorf("stats %+v", st)
		}
		many.Close()
		other.Close()
	})
}

// A position that is lost to one of those that share a read is not lost to the others.
func TestResumeFailsForItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, b := resuming(t)
		b.fill(crmLine, 20)
		b.prune(10)
		b.onRead(func(context.Context) error { time.Sleep(time.Second); return nil })
		boxes := map[int64]*mailbox{}
		for _, after := range []int64{12, 3, 10, 5, 15, 3} {
			m := connect(t, e, "1", fmt.Sprint(len(boxes), " after ", after), words(""))
			resume(t, e, m, crmLine, after)
			boxes[after] = m
		}
		time.Sleep(time.Minute)
		for after, m := range boxes {
			got := m.take()
			if after < 10 {
				if len(got) != 3 || got[1] != "failed "+crmLine+" 11 20" || got[2] != position(20) {
					t.Errorf("after %d: %q", after, got)
				}
				continue
			}
			checkOrder(t, m.id, got, int(after), 20)
		}
	})
}

// What is published during the last read comes after what was read: when it is little it was
// held, when it is much it is read too.
func TestResumeHoldsDuringARead(t *testing.T) {
	for name, n := range map[string]int{"little": 3, "much": 5000} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e, b := resuming(t)
				b.fill(crmLine, 5)
				a, published := connect(t, e, "1", "a", words("")), false
				b.onRead(func(context.Context) error {
					for range n {
						if !published {
							publish(t, e, b.write(crmLine))
						}
					}
					published = true
					return nil
				})
				resume(t, e, a, crmLine, 2)
				synctest.Wait()
				checkOrder(t, "a", a.take(), 2, 5+n)
				a.Close()
				if once := b.reads == 1; once != (name == "little") {
					t.Errorf("%d reads", b.reads)
				}
			})
		})
	}
}

// What is published after a view was made, and is not in it, comes all the same: the reader
// may see more by then.
func TestResumeHoldsSinceTheView(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, b := resuming(t)
		b.fill(crmLine, 5)
		a, once := connect(t, e, "1", "a", words("")), sync.OnceFunc(func() { publish(t, e, b.write(crmLine)) })
		b.viewed = once
		resume(t, e, a, crmLine, 2)
		synctest.Wait()
		publish(t, e, b.write(crmLine))
		synctest.Wait()
		got := a.take()
		want := append([]string{"in " + crmLine}, numbered(3, 6)...)
		if want = append(append(want, position(6)), numbered(7, 7)...); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
