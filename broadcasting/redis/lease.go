package redis

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"chatcast/broadcasting"
	"chatcast/broadcasting/cluster"
)

// Join implements cluster.Transport.
func (t *transport) Join(ctx context.Context, _ cluster.Link, j cluster.Joining, list []cluster.Message) (m cluster.Members, err error) {
	t.id, t.orders = j.ID, max(t.orders, j.Orders)
	clear(t.sent) // others count what a name has sent
	r, err := t.do(ctx, script(joinScript, []string{t.names.leases(), t.names.orders(), t.names.since()}, j.ID, j.Before, micros(j.Lease), number(t.orders)))
	if err != nil {
		return m, err
	}
	answer, err := parts(r, 4)
	if err != nil {
		return m, err
	}
	if m, err = t.members(answer); err != nil {
		return m, err
	}
	young, err := answer[3].AsInt64()
	if err != nil {
		return m, shown(err)
	}
	m.Young = young == 1
	batch := make([]*cluster.Outgoing, len(list))
	for i := range list {
		batch[i] = &cluster.Outgoing{Message: list[i]}
	}
	if err := t.Send(ctx, j.ID, batch); err != nil {
		return m, err
	}
	for _, out := range batch {
		if out.Err != nil {
			return m, out.Err
		}
	}
	return m, nil
}

// Renew implements cluster.Transport.
func (t *transport) Renew(ctx context.Context, r cluster.Renewal) (m cluster.Members, dead []string, err error) {
	t.orders = max(t.orders, r.Orders)
	bury := "0"
	expected, known := t.now()
	if r.Bury && known {
		bury = "1"
	}
	result, err := t.do(ctx, script(renewScript, []string{t.names.leases(), t.names.orders()},
		t.names.nodes, r.ID, t.next(t.names.nodes), micros(r.Lease), number(t.orders), bury, number(expected.UnixMicro()), micros(r.Lease/broadcasting.LeaseJump),
		strconv.FormatUint(r.Probe.Count, 10)))
	if err != nil {
		return m, nil, err
	}
	answer, err := parts(result, 1)
	if err != nil {
		return m, nil, err
	}
	if len(answer) == 1 {
		return m, nil, cluster.ErrBuried
	}
	if m, err = t.members(answer); err == nil && len(answer) > 3 {
		dead, err = answer[3].AsStrSlice()
	}
	if err != nil {
		return m, nil, shown(err)
	}
	return m, dead, nil
}

// Leave implements cluster.Transport.
func (t *transport) Leave(ctx context.Context, id string) error {
	_, err := t.do(ctx, script(leaveScript, []string{t.names.leases()}, t.names.nodes, id, t.next(t.names.nodes)))
	return err
}

// members reads the time, the orders and the nodes of an answer.
func (t *transport) members(answer []rueidis.RedisMessage) (m cluster.Members, err error) {
	if len(answer) < 3 {
		return m, errPayload
	}
	now, err := answer[0].AsInt64()
	if err != nil {
		return m, shown(err)
	}
	if m.Orders, err = answer[1].AsInt64(); err != nil {
		return m, shown(err)
	}
	if m.Others, err = answer[2].AsStrSlice(); err != nil {
		return m, shown(err)
	}
	m.Others = t.without(m.Others)
	m.Now = time.UnixMicro(now)
	t.setClock(m.Now)
	return m, nil
}

// without returns the nodes but this one.
func (t *transport) without(nodes []string) []string {
	return slices.DeleteFunc(nodes, func(id string) bool { return id == t.id })
}

// parts returns the parts of an answer, at least so many.
func parts(r rueidis.RedisResult, least int) ([]rueidis.RedisMessage, error) {
	list, err := r.ToArray()
	if err != nil {
		return nil, shown(err)
	}
	if len(list) < least {
		return nil, fmt.Errorf("redis: an answer of %d parts", len(list))
	}
	return list, nil
}

func micros(d time.Duration) string { return strconv.FormatInt(d.Microseconds(), 10) }
func number(n int64) string         { return strconv.FormatInt(n, 10) }
