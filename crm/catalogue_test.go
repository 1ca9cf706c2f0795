package crm_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

func TestTagsOfACompany(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		cat := putCatalogue(t, w)
		ctx := ctxOf()
		plain, err := w.CreateTag(ctx, w.Admin, crm.TagInput{Name: crm.Value("VIP")})
		if want := (crm.TagData{ID: plain.ID, Name: "VIP", Color: "#808080", Sort: 100}); err != nil || plain != want || plain.ID <= cat.strangeTag {
			t.Errorf("a tag with a name alone: %+v, %v", plain, err)
		}
		full, err := w.CreateTag(ctx, w.Owner, crm.TagInput{
			CompanyID: crmtest.CompanyID, Name: crm.Value("Новый"), Color: crm.Value("#123df55"),
			Sort: crm.Value[int64](-5), CategoryID: crm.Value(cat.category),
		})
		if err != nil || full.Color != "#123df55" || full.Sort != -5 || full.Category == nil || full.Category.ID != cat.category {
			t.Errorf("a tag with everything: %+v, %v", full, err)
		}
		edited, err := w.EditTag(ctx, w.Owner, full.ID, crm.TagInput{Name: crm.Value("Old"), CategoryID: crm.Null[int64]()})
		if want := (crm.TagData{ID: full.ID, Name: "Old", Color: "#123df55", Sort: -5}); err != nil || edited != want {
			t.Errorf("edited: %+v, %v", edited, err)
		}
		if got, err := w.Tag(ctx, w.Outsider, full.ID); err != nil || got != edited {
			t.Errorf("read by an operator: %+v, %v", got, err)
		}
		page, err := w.Tags(ctx, w.Outsider, crm.TagQuery{})
		var ids []int64
		for _, tag := range page.Items {
			ids = append(ids, tag.ID)
		}
		if want := []int64{full.ID, cat.otherTag, cat.tag, plain.ID}; err != nil || !reflect.DeepEqual(ids, want) || page.NextPage != nil {
			t.Errorf("tags %v (%v), want %v", ids, err, want)
		}
		page, err = w.Tags(ctx, w.Owner, crm.TagQuery{CategoryID: &cat.category})
		if err != nil || len(page.Items) != 1 || page.Items[0].ID != cat.tag {
			t.Errorf("tags of the category: %+v, %v", page.Items, err)
		}
	})
}

// TestCataloguesPage reads each catalogue page by page and finds every object once.
func TestCataloguesPage(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		ctx := ctxOf()
		const n = 7
		for i := range n {
			in := crm.NamedInput{Name: crm.Value(fmt.Sprint(i)), Sort: crm.Value[int64](int64(i % 3))}
			if _, err := w.CreateLevel(ctx, w.Owner, in); err != nil {
				t.Fatal(err)
			}
			if _, err := w.CreateTagCategory(ctx, w.Owner, in); err != nil {
				t.Fatal(err)
			}
			if _, err := w.CreateTag(ctx, w.Owner, crm.TagInput{Name: in.Name, Sort: in.Sort}); err != nil {
				t.Fatal(err)
			}
		}
		const want = "0 3 6 1 4 2 5"
		for name, list := range map[string]func(q crm.PageQuery) (string, *string, error){
			"levels": func(q crm.PageQuery) (string, *string, error) {
				p, err := w.Levels(ctx, w.Reader, 0, q)
				return fmt.Sprint(p.Items), p.NextPage, err
			},
			"categories": func(q crm.PageQuery) (string, *string, error) {
				p, err := w.TagCategories(ctx, w.Reader, 0, q)
				return fmt.Sprint(p.Items), p.NextPage, err
			},
			"tags": func(q crm.PageQuery) (string, *string, error) {
				p, err := w.Tags(ctx, w.Reader, crm.TagQuery{PageQuery: q})
				return fmt.Sprint(p.Items), p.NextPage, err
			},
		} {
			var met []string
			for q := (crm.PageQuery{Limit: 3}); ; {
				items, next, err := list(q)
				if err != nil {
					t.Fatal(err)
				}
				for _, item := range strings.Split(strings.Trim(items, "[]{}"), "} {") {
					met = append(met, strings.Fields(item)[1])
				}
				if next == nil {
					break
				}
				q.NextPage = *next
			}
			if got := strings.Join(met, " "); got != want {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
			for limit, page := range map[int]string{-1: "", 101: "", 1: "x", 2: "bGV2ZWxzOjE6eA", 3: "b3RoZXI6MToy"} {
				_, _, err := list(crm.PageQuery{Limit: limit, NextPage: page})
				field := "nextPage"
				if page == "" {
					field = "limit"
				}
				wantCode(t, fmt.Sprint(name, limit, page), err, crm.CodeInvalid, field)
			}
		}
	})
}

// TestCataloguesRefuse checks that operators cannot change anything, and that another
// company's objects look like objects that do not exist.
func TestCataloguesRefuse(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		cat := putCatalogue(t, w)
		ctx := ctxOf()
		type call = func(a crm.Actor, id int64) error
		named := crm.NamedInput{Name: crm.Value("x")}
		for name, test := range map[string]struct {
			mine, strange int64
			change        bool
			do            call
		}{
			"tag":             {cat.tag, cat.strangeTag, false, func(a crm.Actor, id int64) error { _, err := w.Tag(ctx, a, id); return err }},
			"category":        {cat.category, cat.strangeCategory, false, func(a crm.Actor, id int64) error { _, err := w.TagCategory(ctx, a, id); return err }},
			"level":           {cat.level, cat.strangeLevel, false, func(a crm.Actor, id int64) error { _, err := w.Level(ctx, a, id); return err }},
			"edit tag":        {cat.tag, cat.strangeTag, true, func(a crm.Actor, id int64) error { _, err := w.EditTag(ctx, a, id, crm.TagInput{}); return err }},
			"edit category":   {cat.category, cat.strangeCategory, true, func(a crm.Actor, id int64) error { _, err := w.EditTagCategory(ctx, a, id, named); return err }},
			"edit level":      {cat.level, cat.strangeLevel, true, func(a crm.Actor, id int64) error { _, err := w.EditLevel(ctx, a, id, named); return err }},
			"delete tag":      {cat.tag, cat.strangeTag, true, func(a crm.Actor, id int64) error { return w.DeleteTag(ctx, a, id) }},
			"delete category": {cat.category, cat.strangeCategory, true, func(a crm.Actor, id int64) error { return w.DeleteTagCategory(ctx, a, id) }},
			"delete level":    {cat.level, cat.strangeLevel, true, func(a crm.Actor, id int64) error { return w.DeleteLevel(ctx, a, id) }},
			"tags of": {crmtest.CompanyID, crmtest.StrangeCompany, false, func(a crm.Actor, id int64) error {
				_, err := w.Tags(ctx, a, crm.TagQuery{CompanyID: id})
				return err
			}},
			"create tag in": {crmtest.CompanyID, crmtest.StrangeCompany, true, func(a crm.Actor, id int64) error {
				_, err := w.CreateTag(ctx, a, crm.TagInput{CompanyID: id, Name: named.Name})
				return err
			}},
			"create level in": {crmtest.CompanyID, crmtest.StrangeCompany, true, func(a crm.Actor, id int64) error {
				_, err := w.CreateLevel(ctx, a, crm.NamedInput{CompanyID: id, Name: named.Name})
				return err
			}},
			"tag into category": {cat.category, cat.strangeCategory, true, func(a crm.Actor, id int64) error {
				_, err := w.EditTag(ctx, a, cat.otherTag, crm.TagInput{CategoryID: crm.Value(id)})
				return err
			}},
		} {
			wantSameError(t, name, test.do(w.Owner, test.strange), test.do(w.Owner, 1<<62))
			if test.change {
				wantCode(t, name+" by an operator", test.do(w.Operator, test.mine), crm.CodeDenied, "")
			}
		}
		for name, in := range map[string]crm.TagInput{
			"name":        {},
			"name ":       {Name: crm.Value("a\x00")},
			"name  ":      {Name: crm.Value(strings.Repeat("я", 256))},
			"name   ":     {Name: crm.Value("\xff")},
			"color":       {Name: crm.Value("x"), Color: crm.Value("red")},
			"color ":      {Name: crm.Value("x"), Color: crm.Value("#12")},
			"sort":        {Name: crm.Value("x"), Sort: crm.Value[int64](1 << 62)},
			"sort ":       {Name: crm.Value("x"), Sort: crm.Null[int64]()},
			"name    ":    {Name: crm.Null[string]()},
			"color   ":    {Name: crm.Value("x"), Color: crm.Null[string]()},
			"color    \t": {Name: crm.Value("x"), Color: crm.Value("#123456789")},
		} {
			_, err := w.CreateTag(ctx, w.Owner, in)
			wantCode(t, fmt.Sprintf("%+v", in), err, crm.CodeInvalid, strings.TrimSpace(name))
		}
		w.Tx(t, func(tx *models.Tx) error {
			return tx.Insert(&models.Employee{CompanyID: crmtest.StrangeCompany, UserID: w.Owner.UserID, Role: models.RoleOperator, Workday: "end"})
		})
		_, err := w.CreateTag(ctx, w.Owner, crm.TagInput{Name: crm.Value("x")})
		wantCode(t, "a tag of which company", err, crm.CodeInvalid, "companyId")
		_, err = w.CreateTag(ctx, w.Owner, crm.TagInput{Name: crm.Value("x"), CompanyID: crmtest.StrangeCompany})
		wantCode(t, "an operator there", err, crm.CodeDenied, "")
	})
}

// TestDeletingATagOrLevelTellsEveryChat checks, with more chats than one batch, that
// each chat gets one event and that no row is left.
func TestDeletingATagOrLevelTellsEveryChat(t *testing.T) {
	const chats = 130
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w := crmtest.New(t, store)
		cat := putCatalogue(t, w)
		ctx := ctxOf()
		want := map[string]bool{}
		w.Tx(t, func(tx *models.Tx) error {
			for i := range chats {
				chat := models.Chat{
					CompanyID: crmtest.CompanyID, LicenseID: crmtest.LicenseID, MessengerType: whatsApp, Hash: "h1",
					ExternalID: fmt.Sprintf("%d@c.us", 70000000000+i), Type: models.ChatPrivate, Status: models.ChatOpen, LevelID: &cat.level,
				}
				if i%2 == 0 {
					chat.ResponsibleID = &w.Operator.UserID
				}
				if err := tx.Insert(&chat); err != nil {
					return err
				}
				if err := tx.Insert(&models.ChatTag{ChatID: chat.ID, TagID: cat.tag}); err != nil {
					return err
				}
				want[chat.ExternalID] = true
			}
			return nil
		})
		if err := w.DeleteTag(ctx, w.Owner, cat.tag); err != nil {
			t.Fatal(err)
		}
		if err := w.DeleteLevel(ctx, w.Owner, cat.level); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"chatTag", "chatLevel"} {
			notified := map[string]bool{}
			for _, ev := range w.Events(t, name) {
				var item struct {
					Type  string
					Chat  crm.ChatRef
					Level *crm.IDRef
				}
				if err := json.Unmarshal(ev.Items(t)[0], &item); err != nil {
					t.Fatal(err)
				}
				if notified[item.Chat.ID] || item.Level != nil || name == "chatTag" && item.Type != "destroy" {
					t.Errorf("%s: %s", name, ev.Data)
				}
				notified[item.Chat.ID] = true
			}
			if !reflect.DeepEqual(notified, want) {
				t.Errorf("%s told %d chats, want %d", name, len(notified), len(want))
			}
		}
		_, err := w.Tag(ctx, w.Owner, cat.tag)
		wantCode(t, "the deleted tag", err, crm.CodeNotFound, "")
		_, err = w.Level(ctx, w.Owner, cat.level)
		wantCode(t, "the deleted level", err, crm.CodeNotFound, "")
		data, err := w.AllChats(ctx, w.Owner, crm.ChatQuery{PageQuery: crm.PageQuery{Limit: 1}})
		if err != nil || len(data.Items[0].Tags) != 0 || data.Items[0].Level != nil {
			t.Errorf("a chat afterwards: %+v, %v", data.Items, err)
		}
	})
}
