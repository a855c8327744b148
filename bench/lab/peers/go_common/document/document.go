// Package document makes the document that every Go peer serves at /json: of objects
// of its own for each request, as a handler would.
package document

import "fmt"

type Item struct {
	ID         int    `json:"id"`
	Name       string `json:"name"`
	PriceMinor int    `json:"price_minor"`
	Currency   string `json:"currency"`
	InStock    bool   `json:"in_stock"`
}

type Document struct {
	Message string `json:"message"`
	Items   []Item `json:"items"`
}

const itemCount = 48

func New() *Document {
	document := &Document{Message: "Hello", Items: make([]Item, 0, itemCount)}
	for id := 1; id <= itemCount; id++ {
		document.Items = append(document.Items, Item{
			ID:         id,
			Name:       fmt.Sprintf("item %d", id),
			PriceMinor: id * 137,
			Currency:   "EUR",
			InStock:    id%2 == 1,
		})
	}
	return document
}
