// Package browser has a real browser look at the page, and a checker of accessibility beside it.
// All that it does is in its tests: it is a module of its own so that the program's knows nothing
// of either.
package browser
