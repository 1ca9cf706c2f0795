package crm

import (
	"encoding/base64"
	"strconv"
	"strings"

	"chatcast/models"
)

// Limits of a list's page, in items.
const (
	DefaultPage = 20
	MaxPage     = 100
)

// PageQuery asks for one page of a list.
type PageQuery struct {
	Limit    int    // 0: DefaultPage
	NextPage string // from the page before; empty: the first page
}

// Page is one page of a list.
type Page[T any] struct {
	Items    []T     `json:"items"`
	NextPage *string `json:"nextPage"` // token of the next page; null: this is the last page
}

// start returns the sort keys of the row before the page, or nil for the first page,
// and the limit. keys is the number of sort keys of the list. A nextPage of another
// list is refused.
func (q PageQuery) start(list string, keys int) (after []int64, limit int, err error) {
	limit = q.Limit
	if limit == 0 {
		limit = DefaultPage
	}
	if limit < 1 || limit > MaxPage {
		return nil, 0, Invalid("limit", "must be from 1 to %d", MaxPage)
	}
	if q.NextPage == "" {
		return nil, limit, nil
	}
	wrong := Invalid("nextPage", "must be what the page before gave")
	raw, err := base64.RawURLEncoding.DecodeString(q.NextPage)
	if err != nil {
		return nil, 0, wrong
	}
	parts := strings.Split(string(raw), ":")
	if len(parts) != keys+1 || parts[0] != list {
		return nil, 0, wrong
	}
	for _, p := range parts[1:] {
		n, err := strconv.ParseInt(p, 10, 64)
		if err != nil {
			return nil, 0, wrong
		}
		after = append(after, n)
	}
	return after, limit, nil
}

// list returns the list that NextPage belongs to, without checking NextPage.
func (q PageQuery) list() string {
	raw, _ := base64.RawURLEncoding.DecodeString(q.NextPage) // start refuses a wrong value
	list, _, _ := strings.Cut(string(raw), ":")
	return list
}

// pageOf makes a page of rows. The query must ask for one row more than limit: that row
// shows that there is a next page. keys returns a row's sort keys.
func pageOf[R, T any](list string, rows []R, limit int, keys func(R) []int64, item func(R) T) Page[T] {
	p := Page[T]{Items: make([]T, 0, min(len(rows), limit))}
	if len(rows) > limit {
		rows = rows[:limit]
		next := list
		for _, k := range keys(rows[limit-1]) {
			next += ":" + strconv.FormatInt(k, 10)
		}
		next = base64.RawURLEncoding.EncodeToString([]byte(next))
		p.NextPage = &next
	}
	for _, r := range rows {
		p.Items = append(p.Items, item(r))
	}
	return p
}

// sortKey returns the position after which a page of a list ordered by sort begins.
func sortKey(after []int64) *models.SortKey {
	if after == nil {
		return nil
	}
	return &models.SortKey{Sort: after[0], ID: after[1]}
}
