package crm

import (
	"context"

	"chatcast/models"
)

// TagCategories lists a company's tag categories by sort and id. companyID 0 means the
// actor's only company.
func (s *Service) TagCategories(ctx context.Context, a Actor, companyID int64, q PageQuery) (Page[CategoryData], error) {
	after, limit, err := q.start("categories", 2)
	if err != nil {
		return Page[CategoryData]{}, err
	}
	tx := s.Store.Read(ctx)
	e, err := employment(tx, a, companyID)
	if err != nil {
		return Page[CategoryData]{}, err
	}
	rows, err := tx.TagCategories(e.CompanyID, sortKey(after), limit+1)
	if err != nil {
		return Page[CategoryData]{}, err
	}
	return pageOf("categories", rows, limit, func(c models.TagCategory) []int64 { return []int64{c.Sort, c.ID} },
		func(c models.TagCategory) CategoryData { return *categoryData(c) }), nil
}

// TagCategory returns a category of a company that the actor works for.
func (s *Service) TagCategory(ctx context.Context, a Actor, id int64) (CategoryData, error) {
	tx := s.Store.Read(ctx)
	category, err := tx.TagCategory(id)
	if err != nil {
		return CategoryData{}, orNotFound(err, "tag category")
	}
	if err := member(tx, a, category.CompanyID, "tag category"); err != nil {
		return CategoryData{}, err
	}
	return *categoryData(*category), nil
}

// CreateTagCategory creates a category. Only owners and admins may do so.
func (s *Service) CreateTagCategory(ctx context.Context, a Actor, in NamedInput) (data CategoryData, err error) {
	err = s.change(ctx, func(c *change) error {
		e, err := requireCatalogueAdmin(c.tx, a, in.CompanyID)
		if err != nil {
			return err
		}
		category := models.TagCategory{CompanyID: e.CompanyID, Sort: defaultSort}
		if _, err := in.apply(&category.Name, &category.Sort, true); err != nil {
			return err
		}
		if err := c.tx.CreateTagCategory(&category); err != nil {
			return err
		}
		data = *categoryData(category)
		return nil
	})
	return data, err
}

// EditTagCategory changes a category. Only owners and admins may do so.
func (s *Service) EditTagCategory(ctx context.Context, a Actor, id int64, in NamedInput) (data CategoryData, err error) {
	err = s.change(ctx, func(c *change) error {
		category, err := categoryToChange(c.tx, a, id)
		if err != nil {
			return err
		}
		changed, err := in.apply(&category.Name, &category.Sort, false)
		data = *categoryData(*category)
		if err != nil || !changed {
			return err
		}
		return c.tx.SaveTagCategory(category)
	})
	return data, err
}

// DeleteTagCategory deletes a category. Its tags stay, without a category.
func (s *Service) DeleteTagCategory(ctx context.Context, a Actor, id int64) error {
	return s.change(ctx, func(c *change) error {
		if _, err := categoryToChange(c.tx, a, id); err != nil {
			return err
		}
		return c.tx.DeleteTagCategory(id)
	})
}

// categoryToChange locks and returns a category that the actor may change.
func categoryToChange(tx *models.Tx, a Actor, id int64) (*models.TagCategory, error) {
	category, err := tx.LockTagCategory(id)
	if err != nil {
		return nil, orNotFound(err, "tag category")
	}
	return category, mayKeep(tx, a, category.CompanyID, "tag category")
}
