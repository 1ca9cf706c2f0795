package crm_test

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// TestQuickResponsesRefuse checks that users with r can only read, that others find
// nothing, and that wrong input is named.
func TestQuickResponsesRefuse(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		ctx := ctxOf()
		putList(t, w, 1, "685w 688r 900w", models.QuickResponse{ID: 1, Name: "one"})
		name := crm.QuickResponseInput{Name: crm.Value("x")}
		for what, test := range map[string]struct {
			change bool
			do     func(a crm.Actor, list int64) error
		}{
			"read": {false, func(a crm.Actor, list int64) error { _, err := w.QuickList(ctx, a, list); return err }},
			"edit": {true, func(a crm.Actor, list int64) error {
				_, err := w.EditQuickList(ctx, a, list, crm.QuickListInput{})
				return err
			}},
			"delete": {true, func(a crm.Actor, list int64) error { return w.DeleteQuickList(ctx, a, list) }},
			"responses": {false, func(a crm.Actor, list int64) error {
				_, err := w.QuickResponses(ctx, a, list, crm.PageQuery{})
				return err
			}},
			"response":        {false, func(a crm.Actor, list int64) error { _, err := w.QuickResponse(ctx, a, list, 1); return err }},
			"create response": {true, func(a crm.Actor, list int64) error { _, err := w.CreateQuickResponse(ctx, a, list, name); return err }},
			"edit response":   {true, func(a crm.Actor, list int64) error { _, err := w.EditQuickResponse(ctx, a, list, 1, name); return err }},
			"delete response": {true, func(a crm.Actor, list int64) error { return w.DeleteQuickResponses(ctx, a, list, []int64{1}) }},
		} {
			unknown := test.do(w.Owner, 1<<62)
			wantSameError(t, what+" by a colleague without access", test.do(w.Operator, 1), unknown)
			wantSameError(t, what+" by somebody who left the company", test.do(w.Stranger, 1), unknown)
			if test.change {
				wantCode(t, what+" by a reader", test.do(w.Reader, 1), crm.CodeDenied, "")
			} else if err := test.do(w.Reader, 1); err != nil {
				t.Errorf("%s by a reader: %v", what, err)
			}
		}
		list := func(in crm.QuickListInput) error { _, err := w.EditQuickList(ctx, w.Owner, 1, in); return err }
		response := func(in crm.QuickResponseInput) error {
			_, err := w.EditQuickResponse(ctx, w.Owner, 1, 1, in)
			return err
		}
		var many []string
		for i := range 1001 {
			many = append(many, fmt.Sprintf("%dr", i+1))
		}
		for _, test := range []struct {
			name  string
			err   error
			field string
		}{
			{"empty name", list(crm.QuickListInput{Name: crm.Value(" ")}), "name"},
			{"sort", list(crm.QuickListInput{Sort: crm.Value[int64](-1 << 62)}), "sort"},
			{"access null", list(crm.QuickListInput{Access: crm.Null[[]crm.QuickAccessInput]()}), "access"},
			{"no permission", list(crm.QuickListInput{Access: access(t, "687r 688x")}), "access[1].permission"},
			{"no user", list(crm.QuickListInput{Access: access(t, "687r 0688r")}), "access[1].userId"},
			{"user overflows", list(crm.QuickListInput{Access: access(t, "99999999999999999999r")}), "access[0].userId"},
			{"user twice", list(crm.QuickListInput{Access: access(t, "687r 687w")}), "access[1].userId"},
			{"many", list(crm.QuickListInput{Access: access(t, strings.Join(many, " "))}), "access"},
			{"text with NUL", response(crm.QuickResponseInput{Text: crm.Value("\x00")}), "text"},
			{"long text", response(crm.QuickResponseInput{Text: crm.Value(strings.Repeat("я", 65537))}), "text"},
			{"long keywords", response(crm.QuickResponseInput{Keywords: crm.Value(strings.Repeat("я", 1001))}), "keywords"},
			{"text null", response(crm.QuickResponseInput{Text: crm.Null[string]()}), "text"},
			{"enableAI null", response(crm.QuickResponseInput{EnableAI: crm.Null[bool]()}), "enableAI"},
			{"no ids", w.DeleteQuickResponses(ctx, w.Owner, 1, nil), "ids"},
			{"many ids", w.DeleteQuickResponses(ctx, w.Owner, 1, make([]int64, 1001)), "ids"},
		} {
			wantCode(t, test.name, test.err, crm.CodeInvalid, test.field)
		}
		wantSameError(t, "access of a stranger", list(crm.QuickListInput{Access: access(t, "900r")}), list(crm.QuickListInput{Access: access(t, "999999r")}))
		if got := w.Events(t); len(got) > 0 {
			t.Errorf("refused changes caused %v", names(got))
		}
		if p, err := w.QuickLists(ctx, w.Stranger, 0, crm.PageQuery{}); err != nil || len(p.Items) != 0 {
			t.Errorf("the lists of somebody who left: %+v, %v", p, err)
		}
		if p, err := w.QuickLists(ctx, w.Reader, crmtest.CompanyID, crm.PageQuery{}); err != nil || len(p.Items) != 1 || len(p.Items[0].Access) != 2 {
			t.Errorf("a reader's lists: %+v, %v", p, err)
		}
	})
}

// TestTwoWritersCannotTieAKnot puts two responses under each other at the same time,
// again and again. One of the two changes must be refused each time.
func TestTwoWritersCannotTieAKnot(t *testing.T) {
	const rounds = 40
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		var responses []models.QuickResponse
		for i := range int64(2 * rounds) {
			responses = append(responses, models.QuickResponse{ID: i + 1, Name: "x"})
		}
		putList(t, w, 1, "685w 687w", responses...)
		for round := range int64(rounds) {
			pair := [2]int64{2*round + 1, 2*round + 2}
			var group errgroup.Group
			var errs [2]error
			for i, who := range []crm.Actor{w.Owner, w.Operator} {
				group.Go(func() error {
					_, errs[i] = w.EditQuickResponse(ctxOf(), who, 1, pair[i], crm.QuickResponseInput{Parent: crm.Value(pair[1-i])})
					return nil
				})
			}
			if err := group.Wait(); err != nil {
				t.Fatal(err)
			}
			if (errs[0] == nil) == (errs[1] == nil) {
				t.Fatalf("round %d: %v and %v, want one refused", round, errs[0], errs[1])
			}
		}
		if got := len(w.Events(t)); got != 2*rounds {
			t.Errorf("%d events, want %d: one for each of two users in each round", got, 2*rounds)
		}
	})
}
