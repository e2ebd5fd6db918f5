package main

import _ "modernc.org/sqlite" // the driver of sqlite:PATH
