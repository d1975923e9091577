#!/bin/sh
# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
# Run every test file of the folders given in an interpreter of its own, one after the other: nodes, clocks and
# threads that one file leaves in a process never meet the next file. Exit code 1 names the files that failed.
# Of pytest's plugins these tests use one; the others take longer to import, file by file, than some files to run.
export PYTEST_DISABLE_PLUGIN_AUTOLOAD=1
failed=""
for file in $(find "$@" -name 'test_*.py' 2>/dev/null | sort); do
    echo "$file"
    python -m pytest -q -p pytest_timeout "$file"
    code=$?
    # 5: nothing collected, because a library is not installed here; the summary above says which.
    [ $code -eq 0 ] || [ $code -eq 5 ] || failed="$failed $file"
done
[ -z "$failed" ] && exit 0
echo "error: tests failed in:$failed" >&2
exit 1
