// Package check judges histories of transactions: it knows nothing of the database, only what clients saw.
//
// The list-append checker follows Kingsbury and Alvaro, "Elle: Inferring Isolation Anomalies from Experimental
// Observations" (VLDB 2020): lists that are only appended to show the order of their versions, from which the
// dependencies between transactions follow (Adya's write-write, write-read and read-write edges), and anomalies are
// cycles of them.
package check
