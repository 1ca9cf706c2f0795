package crm_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"chatcast/channels"
	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// access parses "687r 688w" to a list's accesses.
func access(t *testing.T, list string) crm.Field[[]crm.QuickAccessInput] {
	t.Helper()
	in := []crm.QuickAccessInput{}
	for _, a := range strings.Fields(list) {
		var user crm.ID
		if err := json.Unmarshal([]byte(strconv.Quote(a[:len(a)-1])), &user); err != nil {
			t.Fatal(err)
		}
		in = append(in, crm.QuickAccessInput{UserID: user, Permission: a[len(a)-1:]})
	}
	return crm.Value(in)
}

// putList inserts a list of company 2224 with these ids and accesses.
func putList(t *testing.T, w *crmtest.World, id int64, accesses string, responses ...models.QuickResponse) {
	t.Helper()
	creator := w.Owner.UserID
	w.Tx(t, func(tx *models.Tx) error {
		if err := tx.Insert(&models.QuickResponseList{ID: id, CompanyID: crmtest.CompanyID, Name: "List name", Sort: 100, CreatedBy: &creator}); err != nil {
			return err
		}
		for _, a := range strings.Fields(accesses) {
			user, err := strconv.ParseInt(a[:len(a)-1], 10, 64)
			if err != nil {
				return err
			}
			if err := tx.Insert(&models.QuickResponseAccess{ListID: id, UserID: user, Permission: a[len(a)-1:]}); err != nil {
				return err
			}
		}
		for _, r := range responses {
			r.ListID = id
			if err := tx.Insert(&r); err != nil {
				return err
			}
		}
		if err := tx.BumpIdentity("quick_responses"); err != nil {
			return err
		}
		return tx.BumpIdentity("quick_response_lists")
	})
}

// notifiedUsers returns the users with the type of each event, in the order of the
// journal: "685:create 687:edit". It checks that each event is on its user's own
// channel alone.
func notifiedUsers(t *testing.T, events []crmtest.Event) string {
	t.Helper()
	var list []string
	for _, ev := range events {
		var data struct {
			Payload struct {
				Data []struct{ Type string }
				Meta crm.UserMeta
			}
		}
		if err := json.Unmarshal([]byte(ev.Data), &data); err != nil {
			t.Fatal(err)
		}
		user, err := strconv.ParseInt(data.Payload.Meta.UserID, 10, 64)
		if err != nil || !slices.Equal(ev.Channels, []string{channels.PersonName(user)}) {
			t.Errorf("%s of user %s goes to %v", ev.Name, data.Payload.Meta.UserID, ev.Channels)
		}
		says := data.Payload.Meta.UserID + ":" + data.Payload.Data[0].Type
		if n := len(data.Payload.Data); n > 1 {
			says += "x" + strconv.Itoa(n)
		}
		list = append(list, says)
	}
	return strings.Join(list, " ")
}

func TestQuickResponseGoldens(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		w.Tx(t, func(tx *models.Tx) error {
			return tx.Insert(&models.User{ID: 124, Email: "test2@test.test", PasswordHash: "none"},
				&models.Employee{CompanyID: crmtest.CompanyID, UserID: 124, Role: models.RoleOperator, Workday: "end"})
		})
		putList(t, w, 1337, "685w")
		ctx, who := ctxOf(), w.Owner
		golden := func(file string, do func() error) {
			t.Helper()
			mark := w.Mark(t)
			if err := do(); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			mine := slices.DeleteFunc(w.EventsAfter(t, mark), func(ev crmtest.Event) bool {
				return ev.Channels[0] != channels.PersonName(who.UserID)
			})
			wantGolden(t, mine, file, "")
		}
		create := crm.QuickListInput{Name: crm.Value("List name"), Access: access(t, "124r")}
		golden("quickResponseList.create", func() error { _, err := w.CreateQuickList(ctx, who, create); return err })
		create.Name = crm.Value("another")
		if _, err := w.EditQuickList(ctx, who, 1338, create); err != nil {
			t.Fatal(err)
		}
		create.Name = crm.Value("List name")
		golden("quickResponseList.edit", func() error { _, err := w.EditQuickList(ctx, who, 1338, create); return err })
		golden("quickResponseList.destroy", func() error { return w.DeleteQuickList(ctx, who, 1338) })

		putList(t, w, 1339, "685w", models.QuickResponse{ID: 1196, Name: "before"})
		in := crm.QuickResponseInput{
			Name: crm.Value("Response name"), Sort: crm.Value[int64](300), Text: crm.Value("Detail text"),
			Keywords: crm.Value("test test2 test4"), EnableAI: crm.Value(true),
		}
		golden("quickResponse.create", func() error { _, err := w.CreateQuickResponse(ctx, who, 1339, in); return err })
		if _, err := w.EditQuickResponse(ctx, who, 1339, 1197, crm.QuickResponseInput{Text: crm.Value("x")}); err != nil {
			t.Fatal(err)
		}
		golden("quickResponse.edit", func() error { _, err := w.EditQuickResponse(ctx, who, 1339, 1197, in); return err })
		golden("quickResponse.destroy", func() error { return w.DeleteQuickResponses(ctx, who, 1339, []int64{1197}) })
		w.Tx(t, func(tx *models.Tx) error {
			return tx.Insert(&models.QuickResponse{ID: 1197, ListID: 1339, Name: "a"}, &models.QuickResponse{ID: 1198, ListID: 1339, Name: "b"})
		})
		golden("quickResponse.bulkDestroy", func() error {
			return w.DeleteQuickResponses(ctx, who, 1339, []int64{1197, 1198, 1197})
		})
	})
}

// TestQuickListTellsWhoSeesIt goes through the life of one list. Its creator is 685.
func TestQuickListTellsWhoSeesIt(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		ctx := ctxOf()
		made, err := w.CreateQuickList(ctx, w.Owner, crm.QuickListInput{Name: crm.Value("n"), Access: access(t, "687w 685r 688r")})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := notifiedUsers(t, w.Events(t)), "685:create 687:create 688:create"; got != want {
			t.Errorf("creating told %s, want %s", got, want)
		}
		want := []crm.QuickAccessData{
			{UserID: "685", Email: "test@test.test", Permission: "w"}, {UserID: "687", Email: "operator@test.test", Permission: "w"},
			{UserID: "688", Email: "reader@test.test", Permission: "r"},
		}
		if !reflect.DeepEqual(made.Access, want) {
			t.Errorf("access %+v, want %+v: the creator keeps w and stands first", made.Access, want)
		}
		for _, step := range []struct {
			name string
			who  crm.Actor
			in   crm.QuickListInput
			want string
		}{
			{"nothing given", w.Operator, crm.QuickListInput{}, ""},
			{"the same again", w.Operator, crm.QuickListInput{Name: crm.Value("n"), Sort: crm.Value[int64](100), Access: access(t, "688r 687w")}, ""},
			{"a name", w.Operator, crm.QuickListInput{Name: crm.Value("m")}, "685:edit 687:edit 688:edit"},
			{"one goes, one comes", w.Owner, crm.QuickListInput{Access: access(t, "687w 689r")}, "685:edit 687:edit 689:create 688:destroy"},
			{"a permission", w.Owner, crm.QuickListInput{Access: access(t, "687r 689r")}, "685:edit 687:edit 689:edit"},
			{"nobody but the creator", w.Owner, crm.QuickListInput{Access: access(t, "")}, "685:edit 687:destroy 689:destroy"},
		} {
			mark := w.Mark(t)
			data, err := w.EditQuickList(ctx, step.who, made.ID, step.in)
			if err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			if got := notifiedUsers(t, w.EventsAfter(t, mark)); got != step.want {
				t.Errorf("%s told %q, want %q", step.name, got, step.want)
			}
			if now, err := w.QuickList(ctx, w.Owner, made.ID); err != nil || !reflect.DeepEqual(now, data) {
				t.Errorf("%s answered %+v, the list is %+v (%v)", step.name, data, now, err)
			}
		}
		mark := w.Mark(t)
		if err := w.DeleteQuickList(ctx, w.Owner, made.ID); err != nil {
			t.Fatal(err)
		}
		if got := notifiedUsers(t, w.EventsAfter(t, mark)); got != "685:destroy" {
			t.Errorf("deleting told %q", got)
		}
	})
}

// TestListTakenAwayIsForgotten takes lists from users in each way, and looks for their
// responses in what the users can still read.
func TestListTakenAwayIsForgotten(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		list := func(name, users string) int64 {
			t.Helper()
			made, err := w.CreateQuickList(t.Context(), w.Owner, crm.QuickListInput{Name: crm.Value(name), Access: access(t, users)})
			if err != nil {
				t.Fatal(err)
			}
			return made.ID
		}
		fill := func(text string, list int64) {
			t.Helper()
			_, err := w.CreateQuickResponse(t.Context(), w.Owner, list, crm.QuickResponseInput{Name: crm.Value("n"), Text: crm.Value(text)})
			if err != nil {
				t.Fatal(err)
			}
		}
		number := func() {
			t.Helper()
			if _, err := w.Journal.Number(t.Context(), 100); err != nil {
				t.Fatal(err)
			}
		}
		kept, taken, deleted := list("KEPT", "687r 688r"), list("TAKEN", "687r 688r"), list("DELETED", "687r")
		fill("KEPT text", kept)
		fill("TAKEN text", taken)
		fill("DELETED text", deleted)
		number()
		fill("TAKEN too", taken) // it has no number yet
		_, err := w.EditQuickList(t.Context(), w.Owner, taken, crm.QuickListInput{Access: access(t, "688r")})
		if err := errors.Join(err, w.DeleteQuickList(t.Context(), w.Owner, deleted), w.RemoveEmployee(t.Context(), w.Owner, crmtest.CompanyID, 688)); err != nil {
			t.Fatal(err)
		}
		number()
		for user, want := range map[int64]string{685: "KEPT TAKEN", 687: "KEPT", 688: ""} {
			page, err := w.Service.Events(t.Context(), crm.Actor{UserID: user}, crm.EventsQuery{Channel: channels.PersonName(user)})
			if err != nil {
				t.Fatal(err)
			}
			shown, reads := string(mustJSON(t, page)), []string{}
			for id, name := range map[int64]string{kept: "KEPT", taken: "TAKEN", deleted: "DELETED"} {
				if strings.Contains(shown, name) {
					reads = append(reads, name)
				}
				gone := strings.Contains(shown, fmt.Sprintf(`"type":"destroy","quickResponseList":{"id":%d}`, id))
				if had := user != 688 || name != "DELETED"; gone != (had && !strings.Contains(want, name)) {
					t.Errorf("user %d reads that list %s is gone: %v", user, name, gone)
				}
			}
			if slices.Sort(reads); strings.Join(reads, " ") != want {
				t.Errorf("user %d reads of %q, want %q", user, reads, want)
			}
		}
	})
}

func TestQuickResponsesOfAList(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		ctx := ctxOf()
		id := func(n int64) *int64 { return &n }
		putList(t, w, 1, "685w 687w 688r", models.QuickResponse{ID: 1, Name: "top", Sort: 1},
			models.QuickResponse{ID: 2, Name: "under", ParentID: id(1), Sort: 2}, models.QuickResponse{ID: 3, Name: "deep", ParentID: id(2), Sort: 3})
		putList(t, w, 2, "685w", models.QuickResponse{ID: 9, Name: "elsewhere"})
		made, err := w.CreateQuickResponse(ctx, w.Operator, 1, crm.QuickResponseInput{Name: crm.Value("new"), Parent: crm.Value[int64](1)})
		if want := (crm.QuickResponseData{ID: made.ID, Name: "new", Sort: 100, Parent: made.Parent}); err != nil || made != want || *made.Parent != 1 {
			t.Errorf("a response with a name and a parent: %+v, %v", made, err)
		}
		if got := notifiedUsers(t, w.Events(t)); got != "685:create 687:create 688:create" {
			t.Errorf("creating told %q", got)
		}
		mark := w.Mark(t)
		same := crm.QuickResponseInput{Name: crm.Value("new"), Parent: crm.Value[int64](1), Text: crm.Value("")}
		if _, err := w.EditQuickResponse(ctx, w.Operator, 1, made.ID, same); err != nil || len(w.EventsAfter(t, mark)) > 0 {
			t.Errorf("an edit that changes nothing: %v, %v", w.EventsAfter(t, mark), err)
		}
		for name, parent := range map[string]int64{"itself": 1, "its child": 2, "its grandchild": 3, "of another list": 9, "not there": 1 << 62, "negative": -1} {
			_, err := w.EditQuickResponse(ctx, w.Operator, 1, 1, crm.QuickResponseInput{Parent: crm.Value(parent)})
			wantCode(t, "parent "+name, err, crm.CodeInvalid, "parent")
		}
		_, err = w.CreateQuickResponse(ctx, w.Operator, 1, crm.QuickResponseInput{Name: crm.Value("x"), Parent: crm.Value[int64](9)})
		wantCode(t, "a new one under another list's", err, crm.CodeInvalid, "parent")
		wantCode(t, "deleting one that is not there", w.DeleteQuickResponses(ctx, w.Operator, 1, []int64{2, 9}), crm.CodeNotFound, "")
		if got := w.EventsAfter(t, mark); len(got) > 0 {
			t.Errorf("refused edits caused %v", got)
		}
		if err := w.DeleteQuickResponses(ctx, w.Operator, 1, []int64{2, 1}); err != nil {
			t.Fatal(err)
		}
		want := "685:destroyx2 687:destroyx2 688:destroyx2 685:edit 687:edit 688:edit 685:edit 687:edit 688:edit"
		if got := notifiedUsers(t, w.EventsAfter(t, mark)); got != want {
			t.Errorf("deleting two parents told\n%s, want\n%s", got, want)
		}
		page, err := w.QuickResponses(ctx, w.Reader, 1, crm.PageQuery{Limit: 1})
		if err != nil || len(page.Items) != 1 || page.Items[0].ID != 3 || page.Items[0].Parent != nil || page.NextPage == nil {
			t.Fatalf("the first page: %+v, %v", page, err)
		}
		page, err = w.QuickResponses(ctx, w.Reader, 1, crm.PageQuery{Limit: 1, NextPage: *page.NextPage})
		if err != nil || len(page.Items) != 1 || page.Items[0].ID != made.ID || page.Items[0].Parent != nil || page.NextPage != nil {
			t.Errorf("the last page: %+v, %v", page, err)
		}
	})
}
