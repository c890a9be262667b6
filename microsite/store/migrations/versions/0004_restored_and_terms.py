"""coaches that came out of a backup, and the versions of their privacy pages"""

from alembic import op
import sqlalchemy as sa


revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('coach', sa.Column('restored_from', sa.BigInteger(), server_default='0', nullable=False))
    op.add_column('coach', sa.Column('unsettled', sa.Boolean(), server_default='0', nullable=False))
    op.create_table('terms',
    sa.Column('coach', sa.Text(), nullable=False),
    sa.Column('version', sa.Text(), nullable=False),
    sa.Column('since', sa.Text(), server_default='', nullable=False),
    sa.Column('facts', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['coach'], ['coach.slug'], name=op.f('fk_terms_coach_coach'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('coach', 'version', name=op.f('pk_terms'))
    )
