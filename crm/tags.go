package crm

import (
	"context"
	"regexp"

	"chatcast/models"
)

const defaultColor = "#808080"

// colorForm accepts 3 to 8 digits. ChatApp's own example has 7, which no browser knows,
// and its clients store what they were given.
var colorForm = regexp.MustCompile(`^#[0-9a-fA-F]{3,8}$`)

// TagInput describes a tag to create, or a change of one. In a change, fields that are
// not given stay as they are.
type TagInput struct {
	CompanyID  int64         `json:"companyId"` // for a new tag only; 0: the actor's only company
	Name       Field[string] `json:"name"`
	Color      Field[string] `json:"color"`      // "#" and 3 to 8 hex digits
	Sort       Field[int64]  `json:"sort"`       // 100 when absent
	CategoryID Field[int64]  `json:"categoryId"` // null: none
}

func (in TagInput) check(creating bool) error {
	colorViolation := in.Color.notNull("color")
	if in.Color.Set && colorViolation == nil && !colorForm.MatchString(in.Color.Value) {
		colorViolation = Invalid("color", "must be # and 3 to 8 hexadecimal digits")
	}
	return allViolations(checkNamed(in.Name, in.Sort, creating), colorViolation)
}

// TagQuery asks for a page of a company's tags.
type TagQuery struct {
	PageQuery
	CompanyID  int64  // 0: the actor's only company
	CategoryID *int64 // nil: all tags, with and without a category
}

// Tags lists a company's tags by sort and id.
func (s *Service) Tags(ctx context.Context, a Actor, q TagQuery) (Page[TagData], error) {
	after, limit, err := q.start("tags", 2)
	if err != nil {
		return Page[TagData]{}, err
	}
	tx := s.Store.Read(ctx)
	e, err := employment(tx, a, q.CompanyID)
	if err != nil {
		return Page[TagData]{}, err
	}
	rows, err := tx.Tags(e.CompanyID, q.CategoryID, sortKey(after), limit+1)
	if err != nil {
		return Page[TagData]{}, err
	}
	data, err := tagsData(tx, rows)
	if err != nil {
		return Page[TagData]{}, err
	}
	return pageOf("tags", data, limit, func(t TagData) []int64 { return []int64{t.Sort, t.ID} },
		func(t TagData) TagData { return t }), nil
}

// Tag returns a tag of a company that the actor works for.
func (s *Service) Tag(ctx context.Context, a Actor, id int64) (TagData, error) {
	tx := s.Store.Read(ctx)
	t, err := tagOf(tx, a, id)
	if err != nil {
		return TagData{}, err
	}
	return tagData(tx, t)
}

// CreateTag creates a tag. Only owners and admins may do so.
func (s *Service) CreateTag(ctx context.Context, a Actor, in TagInput) (data TagData, err error) {
	err = s.change(ctx, func(c *change) error {
		e, err := requireCatalogueAdmin(c.tx, a, in.CompanyID)
		if err != nil {
			return err
		}
		if err := in.check(true); err != nil {
			return err
		}
		t := &models.Tag{CompanyID: e.CompanyID, Color: defaultColor, Sort: defaultSort}
		if _, err := in.apply(c.tx, t); err != nil {
			return err
		}
		if err := c.createTag(a, t); err != nil {
			return err
		}
		data, err = tagData(c.tx, t)
		return err
	})
	return data, err
}

// EditTag changes a tag. Only owners and admins may do so. It emits no chatTag, which would
// mean that a chat changed.
func (s *Service) EditTag(ctx context.Context, a Actor, id int64, in TagInput) (data TagData, err error) {
	err = s.change(ctx, func(c *change) error {
		t, err := tagToChange(c.tx, a, id)
		if err != nil {
			return err
		}
		if err := in.check(false); err != nil {
			return err
		}
		changed, err := in.apply(c.tx, t)
		if err != nil {
			return err
		}
		if changed {
			if err := c.saveTag(a, t); err != nil {
				return err
			}
			if err := c.relabel(t.ID, nil); err != nil {
				return err
			}
		}
		data, err = tagData(c.tx, t)
		return err
	})
	return data, err
}

// apply sets the given fields and reports whether t changed.
func (in TagInput) apply(tx *models.Tx, t *models.Tag) (changed bool, err error) {
	name, color, sort := into(&t.Name, in.Name), into(&t.Color, in.Color), into(&t.Sort, in.Sort)
	changed = name || color || sort
	if !in.CategoryID.Set {
		return changed, nil
	}
	to := in.CategoryID.pointer()
	if to != nil {
		category, err := tx.HoldTagCategory(*to)
		if err != nil {
			return false, orNotFound(err, "tag category")
		}
		if category.CompanyID != t.CompanyID {
			return false, notFound("tag category")
		}
	}
	changed = changed || !same(t.CategoryID, to)
	t.CategoryID = to
	return changed, nil
}

// DeleteTag deletes a tag. It removes the tag from every chat and emits chatTag for
// each, so that no dashboard keeps showing it. It handles many chats in several
// transactions; the events are true after each of them.
func (s *Service) DeleteTag(ctx context.Context, a Actor, id int64) error {
	return s.untilDone(ctx, func(c *change) (done bool, err error) {
		t, err := tagToChange(c.tx, a, id) // locked, so that no chat gets it meanwhile
		if err != nil {
			return false, err
		}
		chats, err := c.tx.LockChatsWithTag(id, deleteBatch)
		if err != nil {
			return false, err
		}
		for i := range chats {
			if err := c.untag(a, &chats[i], t); err != nil {
				return false, err
			}
		}
		used, err := c.tx.TagInUse(id)
		if err != nil || used {
			return false, err
		}
		if err := c.relabel(id, nil); err != nil {
			return false, err
		}
		return true, c.deleteTag(a, t)
	})
}

func tagOf(tx *models.Tx, a Actor, id int64) (*models.Tag, error) {
	t, err := tx.Tag(id)
	if err != nil {
		return nil, orNotFound(err, "tag")
	}
	return t, member(tx, a, t.CompanyID, "tag")
}

// tagToChange locks and returns a tag that the actor may change.
func tagToChange(tx *models.Tx, a Actor, id int64) (*models.Tag, error) {
	t, err := tx.LockTag(id)
	if err != nil {
		return nil, orNotFound(err, "tag")
	}
	return t, mayKeep(tx, a, t.CompanyID, "tag")
}

func tagData(tx *models.Tx, t *models.Tag) (TagData, error) {
	data, err := tagsData(tx, []models.Tag{*t})
	if err != nil {
		return TagData{}, err
	}
	return data[0], nil
}

// tagsData converts tags to the form that the wire shows.
func tagsData(tx *models.Tx, tags []models.Tag) ([]TagData, error) {
	var ids []int64
	for _, t := range tags {
		if t.CategoryID != nil {
			ids = append(ids, *t.CategoryID)
		}
	}
	categories, err := tx.TagCategoriesByID(ids)
	if err != nil {
		return nil, err
	}
	data := make([]TagData, len(tags))
	for i, t := range tags {
		data[i] = TagData{ID: t.ID, Name: t.Name, Color: t.Color, Sort: t.Sort}
		if t.CategoryID == nil {
			continue
		}
		if category, ok := categories[*t.CategoryID]; ok {
			data[i].Category = categoryData(category)
		}
	}
	return data, nil
}

func categoryData(c models.TagCategory) *CategoryData {
	return &CategoryData{ID: c.ID, Name: c.Name, Sort: c.Sort}
}
