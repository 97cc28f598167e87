// Package lint holds the project's taste as go tests: who may import whom (layers.txt), package comments, ceilings on
// files and functions, banned calls, and documents whose links and paths exist.
package lint
