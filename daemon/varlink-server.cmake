# SPDX-License-Identifier: LGPL-2.1-or-later
add_library(mtkrb-varlink-server STATIC
	${CMAKE_CURRENT_LIST_DIR}/call-queue.c
	${CMAKE_CURRENT_LIST_DIR}/server.c
	${CMAKE_CURRENT_LIST_DIR}/service.c
	${CMAKE_CURRENT_LIST_DIR}/session.c)
target_link_libraries(mtkrb-varlink-server PUBLIC mtkrb-control PkgConfig::SYSTEMD)
